#include "torture/schema.hpp"

namespace rowcast::torture {
namespace {

struct table {
    std::string name;
    std::string key; // comma-separated
    std::string columns;
};

const std::vector<table> tables = {
    {"plain", "id", "*"},
    {"pairs", "a, b", "*"},
    {"parted", "id", "*"},
    {"texts", "name", "*"},
    {"secrets", "id", "id, owner, status, public, case when status = 'open' then secret end as secret"},
    {"quiet", "id", "*"},
};

// The rules, in SQL.
std::string condition(const user& who, const std::string& name)
{
    const std::string mine = "owner = " + std::to_string(who.owner);
    if (who.role == "admin") {
        return "true";
    }
    if (who.role == "auditor") {
        if (name == "plain") {
            return "status in ('open', 'paid')";
        }
        if (name == "parted") {
            return "region <> 'r1'";
        }
        return name == "secrets" ? "status = 'open' or " + mine : "owner >= 6";
    }
    return name == "secrets" ? "status = 'open' or " + mine : mine;
}

std::string select(const table& from, const std::string& columns, const std::string& where)
{
    std::string key;
    for (std::size_t at = 0; at < from.key.size();) {
        const std::size_t end = std::min(from.key.find(", ", at), from.key.size());
        const std::string column = from.key.substr(at, end - at);
        key += (key.empty() ? "'" : ", '") + column + "', " + column;
        at = end + 2;
    }
    return "select json_build_object(" + key + "), row_to_json(s) from (select " + columns + " from " + from.name +
           " where " + where + ") s";
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& each : words) {
        text += (text.empty() ? "" : ", ") + each;
    }
    return text;
}

} // namespace

std::string schema_sql()
{
    return R"sql(
        create role bridge login;
        select rowcast.grant_bridge('bridge');

        create table plain (id bigint primary key, owner int not null, status text, amount numeric(12, 2), note text,
                            changed_at timestamptz default clock_timestamp());
        create sequence plain_bulk start 1000000;
        create table pairs (a int, b text, owner int not null, v text, primary key (a, b));
        -- The region may change: rows move between partitions, and no unique index could hold over all of them.
        create table parted (id bigint not null, region text not null, owner int not null, v text) partition by list (region);
        create table parted_r0 partition of parted for values in ('r0');
        create table parted_r1 partition of parted for values in ('r1');
        create table parted_r2 partition of parted for values in ('r2') partition by list (owner);
        create table parted_r2_few partition of parted_r2 for values in (0, 1, 2);
        create table parted_r2_rest partition of parted_r2 default;
        create sequence parted_id;
        create table texts (name text primary key, owner int not null, body text, touched int not null default 0);
        create table secrets (id int primary key, owner int not null, status text not null, public text, secret text);
        create table quiet (id int primary key, owner int not null, v text);
        -- What each publisher has committed, in the same transaction as the message.
        create table sequences (publisher int primary key, n bigint not null);
        insert into sequences select p, 0 from generate_series(0, 63) p;

        create function touch_again() returns trigger language plpgsql as $$
        begin
            if pg_trigger_depth() = 1 then
                update texts set touched = touched + 1 where name = new.name;
            end if;
            return null;
        end $$;
        create trigger touch_again after insert or update on texts for each row execute function touch_again();

        insert into plain select n, n % 8, (array['open', 'paid', 'draft', null])[1 + n % 4], n * 1.25, 'first'
            from generate_series(1, 500) n;
        insert into pairs select n % 20, 'b' || n % 7, n % 8, 'first' from generate_series(1, 139) n on conflict do nothing;
        insert into parted select nextval('parted_id'), 'r' || n % 3, n % 8, 'first' from generate_series(1, 300) n;
        insert into texts select 'name ' || n, n % 8, 'first' from generate_series(1, 60) n;
        insert into secrets select n, n % 8, (array['open', 'closed'])[1 + n % 2], 'p', 's' from generate_series(1, 100) n;
        insert into quiet select n, n % 8, 'first' from generate_series(1, 50) n;

        select rowcast.watch(t::regclass, notify => true) from unnest('{plain,pairs,texts,secrets}'::text[]) t;
        select rowcast.watch('parted', key => '{id}', notify => true);
        select rowcast.watch('quiet', notify => false);
    )sql";
}

std::vector<view> views_of(const user& who, unsigned variant)
{
    std::vector<view> views;
    const auto add = [&](const table& of, const std::string& suffix, const std::string& filter,
                         const std::string& url_filter, const std::string& sql_filter,
                         const std::vector<std::string>& columns) {
        const std::string where =
            "(" + condition(who, of.name) + ")" + (sql_filter.empty() ? "" : " and " + sql_filter);
        views.push_back({of.name + suffix, "public." + of.name, "", filter, url_filter, columns,
                         select(of, columns.empty() ? of.columns : joined(columns), where)});
    };
    for (const table& each : tables) {
        if (each.name == "plain" && variant % 3 == 1) {
            add(each, "", R"({"status":{"in":["open","draft"]}})", "status=in.(open,draft)",
                "status in ('open', 'draft')", {});
        } else if (each.name == "plain" && variant % 3 == 2) {
            add(each, "", R"({"amount":{"lt":400}})", "amount=lt.400", "amount < 400", {"id", "owner", "amount"});
        } else {
            add(each, "", "", "", "", {});
        }
    }
    if (variant % 2 == 1) { // the same table twice
        add(tables[2], "_r0", R"({"region":"r0"})", "region=eq.r0", "region = 'r0'", {});
    }
    for (int i = 0; i < publishers; ++i) {
        const std::string channel = "seq:" + std::to_string(i);
        views.push_back({"seq" + std::to_string(i), "", channel, "", "", {}, ""});
    }
    views.push_back({"end", "", "end", "", "", {}, ""});
    return views;
}

std::string rules_yaml()
{
    return R"yaml(
tables:
  public.plain:
    - {roles: [customer], where: {owner: $claims.owner}}
    - {roles: [auditor], where: {status: {in: [open, paid]}}}
    - roles: [admin]
  public.pairs:
    - {roles: [customer], where: {owner: $claims.owner}}
    - {roles: [auditor], where: {owner: {gte: 6}}}
    - roles: [admin]
  public.parted:
    - {roles: [customer], where: {owner: $claims.owner}}
    - {roles: [auditor], where: {region: {neq: r1}}}
    - roles: [admin]
  public.texts:
    - {roles: [customer], where: {owner: $claims.owner}}
    - {roles: [auditor], where: {owner: {gte: 6}}}
    - roles: [admin]
  public.secrets:
    - {roles: [customer, auditor], where: {owner: $claims.owner}, columns: [id, owner, status, public]}
    - {roles: [customer, auditor], where: {status: open}, columns: [id, owner, status, public, secret]}
    - {roles: [admin], columns: [id, owner, status, public]}
    - {roles: [admin], where: {status: open}, columns: [secret, id]}
  public.quiet:
    - {roles: [customer], where: {owner: $claims.owner}}
    - {roles: [auditor], where: {owner: {gte: 6}}}
    - roles: [admin]
channels:
  "seq:*": [{}]
  end: [{}]
)yaml";
}

} // namespace rowcast::torture
