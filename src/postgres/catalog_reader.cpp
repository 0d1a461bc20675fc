#include "postgres/catalog_reader.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace rowcast::postgres {
namespace {

using policy::type_family;

// `base` is what a domain is made of, however many domains stand between; for an array, what its elements are made of.
// Through jsonb go columns that not every version of PostgreSQL has (a database's collation provider came with 15).
const std::string statement = R"sql(
with recursive captured as (
  select w.table_name, w.all_columns, w.key_columns, a.attname, a.attnum, a.atttypid, a.atttypmod,
         coalesce(c.collisdeterministic, true) as deterministic,
         getdatabaseencoding() = 'UTF8' and case c.collprovider
           when 'd' then coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'b'
             or coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' and d.datcollate in ('C', 'POSIX') and d.datctype in ('C', 'POSIX')
           when 'c' then c.collcollate in ('C', 'POSIX') and c.collctype in ('C', 'POSIX')
           else c.collprovider = 'b'
         end as code_points
  from rowcast.watched w
  join pg_attribute a on a.attrelid = w.relid and a.attnum > 0 and not a.attisdropped and a.attname::text = any (w.columns)
  join pg_database d on d.datname = current_database()
  left join pg_collation c on c.oid = a.attcollation
), kind (type, inside, is_array) as (
  select oid, typbasetype, false from pg_type where typtype = 'd'
  union all
  select oid, typelem, true from pg_type
  where typcategory = 'A' and typtype = 'b' and typlen = -1 and typelem <> 0 and typname not in ('int2vector', 'oidvector')
), base (outermost, type, arrays) as (
  select distinct atttypid, atttypid, 0 from captured
  union
  select base.outermost, kind.inside, base.arrays + kind.is_array::int from base join kind on kind.type = base.type
)
select c.table_name, c.all_columns, c.key_columns, c.attname, format_type(c.atttypid, c.atttypmod), c.deterministic,
       coalesce(c.code_points, false), b.arrays > 0,
       case when b.arrays > 1 then ''
            when t.typtype = 'e' then 'enum'
            when t.typnamespace = 'pg_catalog'::regnamespace then t.typname::text else '' end,
       -- PostgreSQL has no order for a domain over an enumeration
       array(select e.enumlabel::text from pg_enum e
             where e.enumtypid = t.oid and (b.arrays > 0 or t.oid = b.outermost) order by e.enumsortorder)
from captured c
join base b on b.outermost = c.atttypid
join pg_type t on t.oid = b.type and t.oid not in (select type from kind)
order by c.table_name, c.attnum
)sql";

enum field : std::size_t {
    table_name,
    all_columns,
    key_columns,
    column_name,
    type,
    deterministic,
    code_points,
    is_array,
    base_type,
    labels
};

struct known_type {
    std::string_view name;
    type_family family;
};

constexpr std::array known_types = {
    known_type{"bool", type_family::boolean},
    known_type{"int2", type_family::smallint},
    known_type{"int4", type_family::integer},
    known_type{"int8", type_family::bigint},
    known_type{"numeric", type_family::numeric},
    known_type{"float4", type_family::real},
    known_type{"float8", type_family::double_precision},
    known_type{"text", type_family::text},
    known_type{"varchar", type_family::text},
    known_type{"bpchar", type_family::padded_text},
    known_type{"uuid", type_family::uuid},
    known_type{"date", type_family::date},
    known_type{"time", type_family::time},
    known_type{"timestamp", type_family::timestamp},
    known_type{"timestamptz", type_family::timestamptz},
    known_type{"enum", type_family::enumeration},
    known_type{"bytea", type_family::bytea},
    known_type{"json", type_family::json},
    known_type{"jsonb", type_family::jsonb},
};

type_family family_of(std::string_view base, bool compares_bytes)
{
    for (const known_type& known : known_types) {
        if (known.name == base) {
            const bool is_text = known.family == type_family::text || known.family == type_family::padded_text;
            return is_text && !compares_bytes ? type_family::collated_text : known.family;
        }
    }
    return type_family::other;
}

} // namespace

policy::catalog_ptr read_catalog(connection& on)
{
    const rows found = on.execute(statement);
    auto catalog = std::make_shared<policy::catalog>();
    std::shared_ptr<policy::table> table;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!table || table->name != found.text(i, table_name)) {
            table = std::make_shared<policy::table>();
            table->name = found.text(i, table_name);
            table->all_columns = found.truth(i, all_columns);
            table->key = found.list(i, key_columns);
            catalog->tables.emplace(table->name, table);
        }
        const type_family family = family_of(found.text(i, base_type), found.truth(i, deterministic));
        const bool array = found.truth(i, is_array);
        table->columns.push_back({std::string(found.text(i, column_name)), std::string(found.text(i, type)),
                                  array ? type_family::array : family, array ? family : type_family::other,
                                  found.truth(i, code_points), found.list(i, labels)});
    }
    return catalog;
}

} // namespace rowcast::postgres
