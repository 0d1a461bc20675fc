#include "postgres/select_rights.hpp"

namespace rowcast::postgres {

std::vector<missing_right> missing_rights(connection& on, const std::string& role, const std::vector<std::string>& tables)
{
    const rows found = on.execute(R"sql(
select w.table_name,
       concat_ws('; ', case when not r.usage then format('grant usage on schema %s to %I', c.relnamespace::regnamespace, $1::text) end,
                       case when not r.read then format('grant select on %s to %I', w.table_name, $1::text) end)
from rowcast.watched w
join pg_class c on c.oid = w.relid
cross join lateral (
  select has_schema_privilege($1::text, c.relnamespace, 'usage') as usage,
         has_table_privilege($1::text, w.relid, 'select')
           or (select bool_and(has_column_privilege($1::text, w.relid, name, 'select')) from unnest(w.columns::text[]) as name) as read) r
where w.table_name = any ($2::text[]) and not (r.usage and r.read)
order by 1
)sql",
                                  {role, to_array(tables)});
    std::vector<missing_right> missing;
    for (std::size_t i = 0; i < found.size(); ++i) {
        missing.push_back({std::string(found.text(i, 0)), role, std::string(found.text(i, 1))});
    }
    return missing;
}

} // namespace rowcast::postgres
