#include "postgres/revocation_reader.hpp"

#include <string>

namespace rowcast::postgres {
namespace {

using kind = policy::revocation::kind;

// One row at least, for the snapshot.
const std::string statement = R"sql(
select pg_snapshot_xmin(pg_current_snapshot())::text, r.kind, r.name,
       floor(extract(epoch from r.at))::bigint, ceil(extract(epoch from r.until))::bigint
from (select) one left join rowcast.revocations r on r.xid >= $1::xid8 and r.until > clock_timestamp()
)sql";

kind kind_of(std::string_view word)
{
    return word == "user" ? kind::user : word == "token" ? kind::token : kind::session;
}

} // namespace

std::vector<policy::revocation> revocation_reader::read(connection& on)
{
    const rows found = on.execute(statement, {std::to_string(seen_below_)});
    std::vector<policy::revocation> fresh;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found.is_null(i, 1)) {
            fresh.push_back({kind_of(found.text(i, 1)), std::string(found.text(i, 2)), static_cast<std::int64_t>(found.number(i, 3)),
                             static_cast<std::int64_t>(found.number(i, 4))});
        }
    }
    seen_below_ = found.number(0, 0);
    return fresh;
}

} // namespace rowcast::postgres
