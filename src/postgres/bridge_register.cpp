#include "postgres/bridge_register.hpp"

#include "core/version.hpp"

#include <tuple>

namespace rowcast::postgres {
namespace {

constexpr auto at_least_every = std::chrono::minutes(1);

const std::string report_statement = R"sql(
select coalesce(extract(epoch from rowcast.report_bridge(json_build_object(
  'id', $1::text, 'host', $2::text, 'process', $3::int, 'version', $4::text, 'started', to_timestamp($5::float8),
  'sessions', $6::bigint, 'subscriptions', $7::bigint, 'catching_up', $8::bigint, 'slowest', $9::text,
  'position', $10::text, 'doorbell', $11::text, 'retention_age', $12::text, 'retention_bytes', $13::bigint))), 0)::text
)sql";

parameter text_of(const std::optional<core::transaction_id>& xid)
{
    return xid ? parameter(std::to_string(*xid)) : std::nullopt;
}

// What is worth a line in `status` before the minute is over; the position is not, it moves all the time.
auto facts(const bridge_report& report)
{
    return std::tie(report.id, report.sessions, report.subscriptions, report.catching_up, report.slowest, report.doorbell);
}

} // namespace

bool bridge_register::has_news(const connection& on, const bridge_report& now) const
{
    return on.backend() != backend_ || now.slowest || facts(now) != facts(last_) ||
           std::chrono::steady_clock::now() - said_ >= at_least_every;
}

std::optional<bridge_register::seconds> bridge_register::report(connection& on, const bridge_report& now)
{
    if (!has_news(on, now)) {
        return std::nullopt;
    }
    const double started = std::chrono::duration<double>(now.started.time_since_epoch()).count();
    id_ = now.id;
    const rows answer = on.execute(
        report_statement,
        {now.id, now.host, std::to_string(now.process), std::string(core::version()), std::to_string(started),
         std::to_string(now.sessions), std::to_string(now.subscriptions), std::to_string(now.catching_up), text_of(now.slowest),
         text_of(now.position), now.doorbell, std::to_string(now.retention_age.count()) + " milliseconds",
         std::to_string(now.retention_bytes)});
    last_ = now;
    backend_ = on.backend();
    said_ = std::chrono::steady_clock::now();
    return seconds(std::stod(std::string(answer.text(0, 0))));
}

void bridge_register::leave(connection& on)
{
    if (is_entered()) {
        on.execute("select rowcast.forget_bridge($1::uuid)", {id_});
    }
}

} // namespace rowcast::postgres
