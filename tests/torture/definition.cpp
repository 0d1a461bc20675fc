#include "torture/definition.hpp"

#include "torture/writer.hpp"

namespace rowcast::torture {
namespace {

struct dba {
    writer by;
    int serial = 0;

    // Both or neither, and nobody writes between: what PostgreSQL tells no trigger, refresh() tells the subscribers. While a
    // bridge is refreshing it does nothing, and there would be changes of rows that nobody has heard of.
    void with_refresh(const std::string& change)
    {
        for (bool done = false; !done && by.in().writing; by.in().sleep(by.random.ms(10, 100))) {
            by.begin();
            by.sql(change);
            const auto answers = by.sql("select from rowcast.refresh() where action = 'busy'");
            done = answers.empty();
            done ? by.commit() : by.roll_back();
        }
    }

    bool has(const std::string& what)
    {
        return by.sql("select to_regclass('" + what + "') is not null")[0][0].as<bool>();
    }

    void add_or_drop_column()
    {
        const auto found = by.sql("select attname from pg_attribute where attrelid = 'plain'::regclass and attname "
                                  "like 'extra%' and not attisdropped");
        if (found.empty()) {
            with_refresh("alter table plain add column extra" + std::to_string(++serial) + " text");
        } else {
            with_refresh("alter table plain drop column " + std::string(found[0][0].c_str()));
        }
    }

    void attach_or_detach()
    {
        if (!has("parted_x")) {
            by.sql("create table parted_x (like parted)");
            if (by.random.once_in(2)) {
                by.sql("insert into parted_x select nextval('parted_id'), 'x', n % 8, 'attached' from "
                       "generate_series(1, 20) n");
            }
            with_refresh("alter table parted attach partition parted_x for values in ('x')");
        } else if (by.random.once_in(2)) {
            with_refresh("alter table parted detach partition parted_x; drop table parted_x");
        } else {
            with_refresh("drop table parted_x");
        }
    }

    void index()
    {
        if (has("plain_owner")) {
            by.sql(by.random.once_in(2) ? "reindex index concurrently plain_owner"
                                        : "drop index concurrently plain_owner");
        } else {
            by.sql("create index concurrently plain_owner on plain (owner)");
        }
    }

    void once()
    {
        by.in().sleep(by.random.ms(1500, 6000));
        by.sql("set lock_timeout = '2s'");
        switch (by.random.below(9)) {
        case 0:
            add_or_drop_column();
            break;
        case 1:
            attach_or_detach();
            break;
        case 2:
            by.sql("truncate parted_r1");
            break;
        case 3:
            index();
            break;
        case 4:
            by.sql("vacuum analyze plain");
            break;
        case 5:
            by.sql("analyze");
            break;
        case 6:
            by.sql("select rowcast.watch('texts', notify => true)");
            break;
        case 7:
            by.sql("vacuum rowcast.change_log");
            break;
        default:
            by.sql("reindex table secrets");
        }
        by.to().count("definitions changed");
    }
};

} // namespace

void change_definitions(const world& in, account& to, dice chance)
{
    dba one{writer(in, to, std::move(chance))};
    one.by.run([&] { one.once(); });
}

} // namespace rowcast::torture
