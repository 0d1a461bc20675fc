#include "app/bridge.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "app/admin_office.hpp"
#include "app/admin_page.hpp"
#include "app/hub_thread.hpp"
#include "app/keeper.hpp"
#include "app/log_readings.hpp"
#include "app/operator_calls.hpp"
#include "app/operator_views.hpp"
#include "app/set_store.hpp"
#include "app/traffic.hpp"
#include "app/trust.hpp"
#include "config/load.hpp"
#include "config/restart.hpp"
#include "core/row.hpp"
#include "net/server.hpp"
#include "postgres/follower.hpp"
#include "postgres/revocation_reader.hpp"

namespace rowcast::app {
namespace {

constexpr std::chrono::milliseconds patience_with_shards{500};
constexpr std::chrono::seconds patience_with_catalog{5};
constexpr unsigned log_reading_threads = 2;

std::string now_as_text()
{
    using namespace std::chrono;
    const auto now = floor<microseconds>(system_clock::now());
    const auto day = floor<days>(now);
    const year_month_day date(day);
    const hh_mm_ss time(now - day);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text;
}

std::string host_name()
{
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

row_readings::limits rows_limits(const config::rows& from)
{
    row_readings::limits most;
    most.concurrent = from.concurrent;
    most.queue = from.queue;
    most.wait = from.wait;
    most.timeout = from.timeout;
    most.rows = from.limit;
    return most;
}

// A plain NOTIFY as a message: its payload is text, whatever it looks like.
core::change as_message(const postgres::notification& heard)
{
    core::change made;
    made.op = made.cause = core::operation::message;
    made.at = now_as_text();
    made.channel = heard.channel;
    made.event = "notify";
    core::append_quoted(made.payload, heard.payload);
    made.durable = false;
    return made;
}

} // namespace

struct bridge::parts {
    parts(config::configuration with_settings, extras with)
        : settings(std::move(with_settings)), tell(with.tell ? std::move(with.tell) : [](const observe::observation&) {}),
          outside(std::move(with)), trusted(settings.auth, tell), rules(std::make_shared<const policy::rules>(settings.rules)),
          readings({.url = settings.database.url, .purpose = "rowcast catch-up"}, log_reading_threads, tell),
          sets(settings.database.url, tell, [this] { server.permissions_changed(); }),
          rows({.url = settings.database.url}, {.url = settings.database.rows_url(), .statement_timeout = settings.database.rows.timeout},
               rows_limits(settings.database.rows), tell),
          hub({}, readings, rows, tell), office(settings.database, trusted, server, tell, for_operators()), server(settings.server, settings.rollout, shards(), services())
    {
        hub.connect([this](hub::shard_id shard, std::function<void()> work) { server.post(shard, std::move(work)); },
                    [this](const hub::publication_ptr& published, const auto& ticket) { server.publish(published, ticket); },
                    [this] { read_now(); });
    }

    static unsigned shards() { return std::max(1U, std::thread::hardware_concurrency()); }

    net::services services()
    {
        return {.hub = hub,
                .permitted = [this] { return permitted(); },
                .authenticate = [this](std::optional<std::string_view> token) { return trusted.authenticate(token); },
                .admit = [this](const policy::identity& who, std::string_view session) { return trusted.admit(who, session); },
                .find_set = [this](const policy::set_call& wanted) { return sets.find(wanted); },
                .load_sets =
                    [this](hub::shard_id shard, std::vector<policy::set_call> wanted, auto done) {
                        sets.load(std::move(wanted), [this, shard](auto work) { server.post(shard, std::move(work)); }, std::move(done));
                    },
                .not_ready = [this] { return not_ready(); },
                .metrics = outside.metrics ? [this] { return metrics(); } : std::function<std::string()>(),
                .administer = office.calls(),
                .inspect = office.inspections(),
                .find_admin_page = find_admin_page,
                .find_page = outside.find_page,
                .tell = tell};
    }

    admin_office::callbacks for_operators()
    {
        return {.facts = [this] { return facts(); },
                .permitted = [this] { return permitted(); },
                .retention = [this] { return locked(keep); },
                .longest_token = [this] { return locked(longest_token); },
                .reload = [this](std::vector<std::string>& needs_restart) { return reload(needs_restart); },
                .rollout =
                    [this] {
                        const std::lock_guard lock(mutex);
                        return rollout_stands(rollout, rollout == configured_rollout);
                    },
                .change_rollout = [this](const core::value& wanted) { return change_rollout(wanted); },
                .look = [this] { keeping->look(); },
                .examine = outside.examine};
    }

    template <class Value>
    Value locked(const Value& of) const
    {
        const std::lock_guard lock(mutex);
        return of;
    }

    std::string metrics() const
    {
        tell(hub.queues());
        return outside.metrics();
    }

    net::permissions permitted() const
    {
        const std::lock_guard lock(mutex);
        return {rules, catalog};
    }

    std::vector<std::string> not_ready() const
    {
        const auto state = following();
        if (!state) {
            return {"starting"};
        }
        if (!state->connected) {
            return {"PostgreSQL: " + (state->problem.empty() ? std::string("not connected yet") : state->problem)};
        }
        const auto patience = 3 * settings.database.poll_interval + std::chrono::seconds(1);
        if (!state->last_read || std::chrono::steady_clock::now() - *state->last_read > patience) {
            return {"the change log has not been read to its end for a while"};
        }
        if (!permitted().tables) {
            return {"the watched tables have not been read yet"};
        }
        return {};
    }

    std::optional<postgres::follower::status> following() const
    {
        const std::lock_guard lock(mutex);
        return source ? std::optional(source->now()) : std::nullopt;
    }

    void read_now() const
    {
        const std::lock_guard lock(mutex);
        if (source) {
            source->wake();
        }
    }

    postgres::bridge_report report();
    bridge_facts facts() const;
    void adopt(policy::catalog_ptr found);
    void follow();
    void heard(const core::batch_ptr& page);
    std::vector<config::problem> reload(std::vector<std::string>& needs_restart);
    std::vector<config::problem> adopt(const config::configuration& wanted);
    void roll_out(const config::rollout& wanted);
    core::result<void> change_rollout(const core::value& wanted);

    const config::configuration settings; // as of the start; what `reload` replaces is found below and in the other parts
    const observe::sink tell;
    const extras outside;
    trust trusted;

    std::mutex reloading; // one at a time
    mutable std::mutex mutex; // of these, and of `source` while it is set
    std::shared_ptr<const policy::rules> rules;
    config::retention keep = settings.database.keep;
    config::rollout configured_rollout = settings.rollout;
    config::rollout rollout = settings.rollout; // as an operator's call may have left it; written under `reloading` too
    std::chrono::milliseconds longest_token = settings.auth.longest_token;
    policy::catalog_ptr catalog; // nothing until it has been read: then no table is unknown, they are not known yet
    hub::standing clients; // of the keeper's thread: as of the last report
    const std::string id = boost::uuids::to_string(boost::uuids::random_generator()());
    const std::chrono::system_clock::time_point began = std::chrono::system_clock::now();

    traffic counted;
    log_readings readings;
    set_store sets;
    row_readings rows;
    hub_thread hub;
    admin_office office;
    net::server server;
    std::unique_ptr<keeper> keeping;
    std::unique_ptr<postgres::follower> source;
};

// On the keeper's thread. A shard that has other things to do, or has stopped, is not waited for: then what was known last
// is said again.
postgres::bridge_report bridge::parts::report()
{
    const auto asked = std::make_shared<std::promise<hub::standing>>();
    auto answer = asked->get_future();
    server.survey([asked](const hub::standing& now) { asked->set_value(now); });
    if (answer.wait_for(patience_with_shards) == std::future_status::ready) {
        clients = answer.get();
    }
    postgres::bridge_report made;
    made.id = id;
    made.host = host_name();
    made.process = ::getpid();
    made.started = began;
    const config::retention kept = locked(keep);
    made.retention_age = kept.age;
    made.retention_bytes = kept.size;
    if (const auto state = following()) {
        made.doorbell = postgres::to_string(state->bell);
        if (state->all_read_below != 0) {
            made.position = state->all_read_below;
        }
    }
    made.sessions = clients.sessions;
    made.subscriptions = clients.subscriptions;
    made.catching_up = clients.catching_up;
    made.slowest = clients.slowest;
    return made;
}

bridge_facts bridge::parts::facts() const
{
    bridge_facts made;
    made.id = id;
    made.host = host_name();
    made.process = ::getpid();
    made.up = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() - began);
    made.database = postgres::place_of(settings.database.url);
    made.not_ready = server.not_ready();
    if (const auto state = following()) {
        made.connected = state->connected;
        made.doorbell = postgres::to_string(state->bell);
        made.position = state->all_read_below;
    }
    made.tables = counted.now();
    return made;
}

// The rules were written for tables as they were once; what no longer fits is said, and gives nothing.
void bridge::parts::adopt(policy::catalog_ptr found)
{
    for (const config::problem& each : config::check(*permitted().rules, *found)) {
        const std::string where = each.at.line > 0 ? "line " + std::to_string(each.at.line) + " of the configuration" : "";
        tell(observe::rule_misfit{where, each.message, each.how_bad == config::problem::weight::error});
    }
    {
        const std::lock_guard lock(mutex);
        catalog = std::move(found);
        sets.define(*rules, catalog);
    }
    server.permissions_changed();
}

void bridge::parts::follow()
{
    const auto codec_of = [](const postgres::log_identity& identity) {
        return std::make_shared<const core::cursor_codec>(identity.codec());
    };
    postgres::follower_callbacks callbacks;
    const auto past = std::make_shared<std::optional<postgres::recent_past>>(); // until `started`
    callbacks.recent = [past](postgres::recent_past before_head) { *past = std::move(before_head); };
    callbacks.started = [this, codec_of, past](const postgres::log_identity& identity, const core::snapshot& head) {
        const auto codec = codec_of(identity);
        readings.expect(identity, codec);
        sets.follows(head);
        rows.expect(identity, codec);
        auto recent = std::exchange(*past, std::nullopt).value_or(postgres::recent_past{head, {}});
        hub.started(codec, std::move(recent.from), std::move(recent.pages));
    };
    callbacks.batch = [this](core::batch_ptr page) {
        heard(page);
        counted.add(*page);
        auto superseded = sets.follow(*page);
        hub.publish(std::move(page), std::move(superseded));
    };
    callbacks.replaced = [this, codec_of](std::string_view reason, const postgres::log_identity& identity, const core::snapshot& head) {
        const auto codec = codec_of(identity);
        readings.expect(identity, codec);
        sets.replaced(head);
        rows.expect(identity, codec);
        hub.replaced(std::string(reason), codec, head);
    };
    callbacks.message = [this](const postgres::notification& message) {
        if (message.channel == postgres::revocation_channel) {
            keeping->look();
        } else {
            hub.message(as_message(message));
        }
    };
    callbacks.read_to_end = [this] { hub.read_to_end(); };
    callbacks.handing_out = [this] { return hub.handing_out(); };
    std::vector<std::string> channels = settings.database.notify_channels;
    channels.emplace_back(postgres::revocation_channel);
    auto started = std::make_unique<postgres::follower>(
        postgres::follower_options{.connection = {.url = settings.database.url, .purpose = "rowcast bridge", .read_only = false},
                                   .poll_interval = settings.database.poll_interval,
                                   .notify_channels = std::move(channels),
                                   .pages = {}},
        std::move(callbacks), tell);
    const std::lock_guard lock(mutex);
    source = std::move(started);
}

// A table that the catalog does not know was watched a moment ago.
void bridge::parts::heard(const core::batch_ptr& page)
{
    const policy::catalog_ptr known = permitted().tables;
    const bool news = std::any_of(page->changes.begin(), page->changes.end(), [&](const core::change& each) {
        return each.op == core::operation::resync || (!each.table.empty() && (!known || !known->find(each.table)));
    });
    if (news) {
        keeping->look();
    }
}

// Returns the problems; none: all of it but `needs_restart` holds from now on.
std::vector<config::problem> bridge::parts::reload(std::vector<std::string>& needs_restart)
{
    const std::lock_guard one(reloading);
    std::vector<config::problem> problems;
    if (!outside.read_again) {
        return {{{}, "there is no file to read again"}};
    }
    auto loaded = outside.read_again();
    if (auto* wrong = std::get_if<std::vector<config::problem>>(&loaded)) {
        problems = std::move(*wrong);
    } else {
        problems = adopt(std::get<config::configuration>(loaded));
    }
    if (!problems.empty()) {
        std::vector<std::string> texts;
        for (const config::problem& each : problems) {
            texts.push_back(config::to_string(each, outside.file));
        }
        tell(observe::reload_refused{std::move(texts)});
        return problems;
    }
    needs_restart = config::needs_restart(settings, std::get<config::configuration>(loaded));
    tell(observe::configuration_reloaded{needs_restart});
    return {};
}

std::vector<config::problem> bridge::parts::adopt(const config::configuration& wanted)
{
    const auto find_misfits = [&] {
        const policy::catalog_ptr tables = permitted().tables;
        return tables ? config::check(wanted.rules, *tables) : std::vector<config::problem>();
    };
    auto misfits = find_misfits();
    if (config::has_errors(misfits)) {
        keeping->look_now(patience_with_catalog); // the tables may have been changed for these rules a moment ago
        misfits = find_misfits();
    }
    if (config::has_errors(misfits)) {
        std::erase_if(misfits, [](const config::problem& each) { return each.how_bad != config::problem::weight::error; });
        return misfits;
    }
    if (auto unusable = auth::problems(wanted.auth); !unusable.empty()) {
        return unusable;
    }
    net::tls_context_ptr tls;
    try {
        tls = net::make_tls_context(wanted.server.certificate);
        trusted.replace(wanted.auth);
    } catch (const std::invalid_argument& unusable) {
        return {{{}, unusable.what()}};
    }
    {
        const std::lock_guard lock(mutex);
        rules = std::make_shared<const policy::rules>(wanted.rules);
        if (catalog) {
            sets.define(*rules, catalog);
        }
        keep = wanted.database.keep;
        longest_token = wanted.auth.longest_token;
        configured_rollout = wanted.rollout;
    }
    roll_out(wanted.rollout);
    keeping->set_retention(wanted.database.keep);
    server.adopt(wanted.server, tls);
    server.admissions_changed();
    server.permissions_changed();
    if (outside.reloaded) {
        outside.reloaded(wanted);
    }
    return {};
}

void bridge::parts::roll_out(const config::rollout& wanted)
{
    {
        const std::lock_guard lock(mutex);
        rollout = wanted;
    }
    server.offer(wanted);
    tell(observe::rollout_stands{wanted.websocket, wanted.sse, wanted.force_polling, wanted.opt_in.size(), wanted.opt_out.size(),
                                 wanted == configured_rollout});
}

core::result<void> bridge::parts::change_rollout(const core::value& wanted)
{
    const std::lock_guard one(reloading);
    auto read = read_rollout(wanted, rollout);
    if (!read) {
        return read.error();
    }
    roll_out(*read);
    return {};
}

bridge::bridge(config::configuration settings, extras with) : parts_(std::make_unique<parts>(std::move(settings), std::move(with))) {}

bridge::~bridge()
{
    stop(std::chrono::milliseconds(0));
}

void bridge::start()
{
    parts_->keeping = std::make_unique<keeper>(parts_->settings.database, parts_->tell,
                                               keeper::callbacks{
                                                   .changed = [this](policy::catalog_ptr found) { parts_->adopt(std::move(found)); },
                                                   .revoked =
                                                       [this](const std::vector<policy::revocation>& fresh) {
                                                           if (parts_->trusted.add(fresh)) {
                                                               parts_->server.admissions_changed();
                                                           }
                                                       },
                                                   .report = [this] { return parts_->report(); },
                                               });
    // Who comes at once, as after a restart, is answered and not told to come again.
    parts_->keeping->await_first_look(std::chrono::seconds(2));
    parts_->roll_out(parts_->settings.rollout);
    parts_->server.start(); // operators may call now
    parts_->follow();
}

// Clients first: what is on its way still reaches them. Then the source, which may be waiting for the hub.
void bridge::stop(std::chrono::milliseconds deadline)
{
    parts_->server.stop(deadline);
    parts_->office.stop();
    parts_->hub.stop();
    parts_->sets.stop(); // the follower may be waiting for it
    if (parts_->source) {
        parts_->source->stop();
    }
    if (parts_->keeping) {
        parts_->keeping->stop();
    }
    parts_->readings.stop();
    parts_->rows.stop();
}

std::vector<config::problem> bridge::reload()
{
    std::vector<std::string> needs_restart;
    return parts_->reload(needs_restart);
}

std::uint16_t bridge::port() const
{
    return parts_->server.port();
}

std::uint16_t bridge::admin_port() const
{
    return parts_->server.admin_port();
}

std::vector<std::string> bridge::not_ready() const
{
    return parts_->server.not_ready();
}

bool bridge::answers(std::chrono::milliseconds within)
{
    const auto until = std::chrono::steady_clock::now() + within;
    std::vector<std::future<void>> all;
    const auto ask = [&](const auto& post) {
        const auto answered = std::make_shared<std::promise<void>>();
        all.push_back(answered->get_future());
        post([answered] { answered->set_value(); });
    };
    ask([&](std::function<void()> work) { parts_->hub.post(std::move(work)); });
    for (hub::shard_id each = 0; each < parts_->server.shards(); ++each) {
        ask([&](std::function<void()> work) { parts_->server.post(each, std::move(work)); });
    }
    return std::all_of(all.begin(), all.end(), [&](const auto& each) { return each.wait_until(until) == std::future_status::ready; });
}

} // namespace rowcast::app
