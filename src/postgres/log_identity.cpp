#include "postgres/log_identity.hpp"

#include "core/version.hpp"

namespace rowcast::postgres {
namespace {

[[noreturn]] void refuse(const std::string& problem, const std::string& sqlstate, const std::string& hint)
{
    throw database_error(problem + ". " + hint, sqlstate, hint);
}

std::string from_hex(std::string_view text)
{
    std::string bytes;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 2; i + 1 < text.size(); i += 2) { // after \x
        bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
    }
    return bytes;
}

} // namespace

std::string log_identity::text() const
{
    return log_id + " " + system_identifier + " " + database_oid + " " + std::to_string(timeline);
}

void check_installation(const std::function<std::string(const char* sql)>& ask, const std::string& place)
{
    if (ask("select pg_is_in_recovery()") == "t") {
        refuse(place + " is a standby, whose snapshots omit running transactions", "25006",
               "Connect to the primary (target_session_attrs=read-write with all hosts in the URL).");
    }
    if (ask("select to_regprocedure('rowcast.version()') is not null") == "f") {
        refuse("rowcast is not installed in " + place, "3F000", "Run `rowcast install`, then `rowcast watch TABLE`.");
    }
    const std::string installed = ask("select rowcast.version()");
    if (installed != core::version()) {
        refuse("the SQL installed in " + place + " is version " + installed + ", this program is " +
                   std::string(core::version()),
               "", "Run `rowcast install`: it upgrades in place. Use the same version of both.");
    }
}

log_identity claim_identity(connection& on)
{
    check_installation([&](const char* sql) { return std::string(on.execute(sql).text(0, 0)); }, on.place());
    on.run_script("begin read write");
    const rows claimed =
        on.execute("select log_id, timeline, cursor_key, lock_class, lock_key, renewed from rowcast.claim_identity()");
    const rows settings = on.execute("select system_identifier, database_oid from rowcast.settings");
    on.run_script("commit");
    log_identity identity;
    identity.log_id = claimed.text(0, 0);
    identity.timeline = static_cast<unsigned>(claimed.number(0, 1));
    identity.cursor_key = from_hex(claimed.text(0, 2));
    identity.lock_class = std::stoi(std::string(claimed.text(0, 3)));
    identity.lock_key = std::stoi(std::string(claimed.text(0, 4)));
    identity.renewed = claimed.truth(0, 5);
    identity.system_identifier = settings.text(0, 0);
    identity.database_oid = settings.text(0, 1);
    if (identity.cursor_key.size() < 16) {
        throw database_error("rowcast.settings.cursor_key is too short in " + on.place(), "", "Run `rowcast install`.");
    }
    return identity;
}

} // namespace rowcast::postgres
