#pragma once

#include <catch2/catch.hpp>
#include <pqxx/pqxx>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/database.hpp"

namespace rowcast::test {

using lines = std::vector<std::string>;

/// The log as lines, in the order in which a reader sees it:
/// `UPDATE t {"id":1,"v":2} was {"id":1,"v":1}`; a cause in brackets: `DELETE(UPDATE) t was {"id":1}`; `truncated` where the row
/// was too large; schema `public` is left out.
inline constexpr std::string_view captured_sql = R"(
    select concat_ws(' ', op || coalesce('(' || cause || ')', ''), replace(table_name, 'public.', ''), channel, event, new, 'was ' || old,
                     case when truncated then 'truncated' end)
    from (select *, max(id) over (partition by xid) as last from rowcast.change_log) l order by last, id)";

inline lines captured(const support::database& db)
{
    lines result;
    for (const auto& row : db.execute(captured_sql))
        result.push_back(row[0].as<std::string>());
    return result;
}

/// What the log holds after `sql` ran that it did not hold before.
inline lines captured_by(const support::database& db, std::string_view sql)
{
    db.execute("delete from rowcast.change_log");
    db.execute(sql);
    return captured(db);
}

/// The message and the hint with which `sql` fails; empty where it does not.
inline std::string refusal(pqxx::connection& connection, const std::string& sql)
{
    std::string report;
    try {
        pqxx::nontransaction work{connection};
        work.exec(sql);
        return report;
    } catch (const pqxx::sql_error& error) {
        return error.what();
    }
}

inline std::string refusal(const support::database& db, const std::string& sql)
{
    pqxx::connection connection{db.connect()};
    return refusal(connection, sql);
}

/// Whether the server is of this version or a later one. Where it is not, says what is not tested.
inline bool since(int version, const char* feature, const support::database& db)
{
    const bool has = db.connect().server_version() >= version * 10000;
    if (!has)
        WARN("not tested: " << feature << ", which came with PostgreSQL " << version);
    return has;
}

}
