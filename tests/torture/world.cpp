#include "torture/world.hpp"

#include "postgres/embedded_sql.hpp"
#include "postgres/log_identity.hpp"
#include "support/eventually.hpp"
#include "torture/schema.hpp"

#include <algorithm>
#include <thread>

namespace rowcast::torture {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> settings = {
    "max_connections = 50",     "shared_buffers = 64MB",    "max_wal_size = 256MB",
    "wal_keep_size = 512MB",    "deadlock_timeout = 200ms", "autovacuum_naptime = 5s",
    "checkpoint_timeout = 30s", "log_checkpoints = off",    "log_line_prefix = '%m [%p] %a '",
};

pqxx::result execute(pqxx::connection& on, const std::string& sql)
{
    return pqxx::nontransaction{on}.exec(sql);
}

std::string bytes_of(const std::string& hex)
{
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

} // namespace

std::string_view unmarked(std::string_view cursor)
{
    return cursor.substr(0, cursor.rfind('.'));
}

#if PQXX_VERSION_MAJOR < 7
void never_reconnect(pqxx::connection& connection)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}
#else
void never_reconnect(pqxx::connection&) {}
#endif

world::world()
    : primary_(std::make_unique<support::postgres_cluster>(settings))
{
    {
        pqxx::connection installer = primary_->connect();
        execute(installer, "create database torture");
    }
    pqxx::connection installer = primary_->connect("torture");
    execute(installer, std::string(postgres::install_sql));
    execute(installer, "set search_path = public;" + schema_sql());
    execute(installer, "select rowcast.claim_identity()");
    settle();
    make_standby();
}

// Reads what cursors of this primary are signed with.
void world::settle()
{
    pqxx::connection reader = primary_->connect("torture");
    const pqxx::row found =
        execute(reader, "select log_id, system_identifier, database_oid, encode(cursor_key, 'hex'), "
                        "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int "
                        "from rowcast.settings")[0];
    postgres::log_identity identity;
    identity.log_id = found[0].c_str();
    identity.system_identifier = found[1].c_str();
    identity.database_oid = found[2].c_str();
    identity.cursor_key = bytes_of(found[3].c_str());
    identity.timeline = found[4].as<unsigned>();
    const std::lock_guard lock(mutex_);
    codecs_.emplace(identity.timeline, identity.codec());
    url_ = primary_->url("torture");
    timeline_ = identity.timeline;
}

bool world::has_standby() const
{
    if (!standby_) {
        return false;
    }
    return support::eventually([&] {
        pqxx::connection connection = primary_->connect();
        return !execute(connection, "select from pg_stat_replication where state = 'streaming'").empty();
    });
}

void world::make_standby()
{
    standby_ = support::postgres_cluster::standby_of(*primary_, settings);
}

void world::fail_over(std::chrono::milliseconds lag)
{
    standby_->freeze();
    std::this_thread::sleep_for(lag);
    primary_->crash();
    standby_->thaw();
    standby_->promote();
    primary_ = std::move(standby_);
    settle();
}

void world::start_again()
{
    primary_->start();
}

std::string world::url() const
{
    const std::lock_guard lock(mutex_);
    return url_;
}

pqxx::connection world::connect() const
{
    return pqxx::connection{url()};
}

std::optional<unsigned> world::timeline_of(const std::string& cursor) const
{
    const std::lock_guard lock(mutex_);
    for (const auto& [timeline, codec] : codecs_) {
        if (codec.open(unmarked(cursor))) {
            return timeline;
        }
    }
    return std::nullopt;
}

std::optional<core::cursor> world::open(unsigned timeline, const std::string& cursor) const
{
    const std::lock_guard lock(mutex_);
    auto opened = codecs_.at(timeline).open(unmarked(cursor));
    return opened ? std::optional(*opened) : std::nullopt;
}

void world::sleep(std::chrono::milliseconds time) const
{
    const auto until = std::chrono::steady_clock::now() + time;
    while (!over && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(
            50ms, std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now())));
    }
}

} // namespace rowcast::torture
