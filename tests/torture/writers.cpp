#include "torture/writers.hpp"

#include "torture/definition.hpp"
#include "torture/schema.hpp"
#include "torture/writer.hpp"

#include <chrono>
#include <tuple>
#include <utility>

namespace rowcast::torture {
namespace {

using namespace std::chrono_literals;

std::string text(long number)
{
    return std::to_string(number);
}

// Small transactions of everything that an application does, on few keys, so that writers meet.
class clerk {
public:
    clerk(const world& in, account& to, dice chance, int number)
        : by_(in, to, std::move(chance))
        , number_(number)
    {
        by_.at_start = [this] { look_up(); };
    }

    void run()
    {
        by_.run([this] {
            transact();
            by_.in().sleep(pick(5, 60));
        });
    }

private:
    dice& random() { return by_.random; }

    std::chrono::milliseconds pick(long least, long most) { return random().ms(least, most); }

    std::string owner() { return text(random().below(owners)); }

    std::string status() { return std::vector<std::string>{"'open'", "'paid'", "'draft'", "null"}[random().below(4)]; }

    std::string region()
    {
        return std::vector<std::string>{"'r0'", "'r1'", "'r2'", "'x'"}[random().below(random().once_in(5) ? 4 : 3)];
    }

    std::string stamp() { return "'" + text(number_) + "." + text(++serial_) + "'"; }

    // After a lost connection nobody knows whether the last commit was one. And what was prepared is there still.
    void look_up()
    {
        published_ = by_.sql("select n from sequences where publisher = " + text(number_))[0][0].as<long>();
        for (const auto& row :
             by_.sql("select gid from pg_prepared_xacts where gid like 'clerk" + text(number_) + ".%'")) {
            by_.sql("rollback prepared '" + std::string(row[0].c_str()) + "'");
        }
    }

    void transact()
    {
        if (random().once_in(25)) {
            prepare();
            return;
        }
        by_.begin();
        const unsigned steps = 1 + random().below(4);
        for (unsigned i = 0; i < steps; ++i) {
            change();
            if (random().once_in(6)) {
                by_.sql("savepoint s");
                change();
                by_.sql(random().once_in(2) ? "rollback to s" : "release s");
            }
        }
        long next = published_;
        if (number_ < publishers && random().once_in(2)) {
            next = publish();
        }
        if (random().once_in(40)) {
            by_.in().sleep(pick(500, 4000)); // a long one
        } else if (random().once_in(8)) {
            by_.in().sleep(pick(1, 150));
        }
        if (random().once_in(9)) {
            by_.roll_back();
            by_.to().count("rolled back");
        } else {
            by_.commit();
            published_ = next;
        }
    }

    long publish()
    {
        long next = published_;
        for (unsigned i = 0; i <= random().below(3); ++i) {
            ++next;
            by_.sql("select rowcast.publish('seq:" + text(number_) + "', 'next', '{\"n\": " + text(next) + "}')");
        }
        by_.sql("update sequences set n = " + text(next) + " where publisher = " + text(number_));
        return next;
    }

    void prepare()
    {
        const std::string name = "'clerk" + text(number_) + "." + text(++serial_) + "'";
        by_.begin();
        change_quiet();
        change_quiet();
        by_.sql("prepare transaction " + name);
        by_.in().sleep(pick(0, 300));
        by_.sql((random().once_in(3) ? "rollback prepared " : "commit prepared ") + name);
        by_.to().count("prepared");
    }

    void change()
    {
        switch (random().below(12)) {
        case 0:
        case 1:
        case 2:
            change_plain();
            break;
        case 3:
            bulk();
            break;
        case 4:
        case 5:
            change_pairs();
            break;
        case 6:
        case 7:
        case 8:
            change_parted();
            break;
        case 9:
            change_texts();
            break;
        case 10:
            change_secrets();
            break;
        default:
            change_quiet();
        }
    }

    void change_plain()
    {
        const long id = random().between(1, 600);
        const std::string some =
            "id in (" + text(id) + ", " + text(random().between(1, 600)) + ", " + text(random().between(1, 600)) + ")";
        switch (random().below(7)) {
        case 0:
            by_.sql("delete from plain where " + some);
            break;
        case 1:
            by_.sql("update plain set status = " + status() + ", note = " + stamp() + " where " + some);
            break;
        case 2:
            by_.sql("update plain set owner = " + owner() + ", note = " + stamp() + " where " + some);
            break;
        case 3:
            by_.sql("update plain set amount = amount + 100 * (random() - 0.4), changed_at = clock_timestamp() where "
                    "id between " +
                    text(id) + " and " + text(id + 8));
            break;
        case 4:
            by_.sql("update plain set id = case when id > 10000 then id - 10000 else id + 10000 end where id < 20000 "
                    "and id % 10000 = " +
                    text(id));
            break;
        default:
            by_.sql("insert into plain (id, owner, status, amount, note) values (" + text(id) + ", " + owner() + ", " +
                    status() + ", " + text(id) + ".5, " + stamp() +
                    ") on conflict (id) do update set owner = excluded.owner, status = excluded.status, note = "
                    "excluded.note");
        }
    }

    void bulk()
    {
        switch (random().below(5)) {
        case 0:
            by_.sql("insert into plain (id, owner, status, amount, note) select nextval('plain_bulk'), n % 8, "
                    "(array['open', 'paid', 'draft', null])[1 + n % 4], n, " +
                    stamp() + " from generate_series(1, " + text(random().between(10, 300)) + ") n");
            break;
        case 1:
            copy(random().between(5, 100));
            break;
        case 2:
            by_.sql("update plain set note = " + stamp() + " where id > 1000000 and id % 11 = " +
                    text(random().below(11)) + " and id in (select id from plain where id > 1000000 limit 500)");
            break;
        default:
            by_.sql("delete from plain where id in (select id from plain where id >= 1000000 order by id limit " +
                    text(random().between(50, 600)) + ")");
        }
    }

    void copy(long rows)
    {
        const long first = by_.sql("select nextval('plain_bulk'), setval('plain_bulk', currval('plain_bulk') + " +
                                   text(rows) + ")")[0][0]
                               .as<long>();
        pqxx::nontransaction work{by_.connection()};
        pqxx::stream_to stream{work, "plain", std::vector<std::string>{"id", "owner", "status", "amount", "note"}};
        for (long i = 0; i < rows; ++i) {
            stream << std::make_tuple(first + i, static_cast<int>(i % owners),
                                      std::string(i % 2 == 0 ? "open" : "draft"), i, std::string("copied\tin"));
        }
        stream.complete();
    }

    void change_pairs()
    {
        const std::string a = text(random().below(20));
        const std::string b = "'b" + text(random().below(7)) + "'";
        const std::string other = "'b" + text(random().below(9)) + "'";
        switch (random().below(5)) {
        case 0:
            by_.sql("delete from pairs where a = " + a + " and b <= " + b);
            break;
        case 1:
            by_.sql("update pairs set owner = " + owner() + ", v = " + stamp() + " where a = " + a);
            break;
        case 2:
            by_.sql("update pairs set b = " + other + ", v = " + stamp() + " where a = " + a + " and b = " + b +
                    " and not exists (select from pairs where a = " + a + " and b = " + other + ")");
            break;
        default:
            by_.sql(
                "insert into pairs select " + a + ", 'b' || n, " + owner() + ", " + stamp() +
                " from generate_series(0, 6) n on conflict (a, b) do update set v = excluded.v where pairs.owner <> 3");
        }
    }

    void change_parted()
    {
        const std::string id = text(random().between(1, 400));
        switch (random().below(8)) {
        case 0:
            by_.sql("delete from parted where id % 400 = " + id);
            break;
        case 1:
            by_.sql("update parted set region = " + region() + ", v = " + stamp() + " where id % 400 = " + id);
            break;
        case 2:
            by_.sql("update parted set owner = " + owner() + ", v = " + stamp() + " where id % 400 in (" + id + ", 7)");
            break;
        case 3:
            by_.sql("update parted_r2 set owner = " + owner() + ", v = " + stamp() +
                    " where id % 40 = " + text(random().below(40)));
            break;
        case 4:
            by_.sql("insert into parted_r1 values (nextval('parted_id'), 'r1', " + owner() + ", " + stamp() + ")");
            break;
        case 5:
            by_.sql("update parted_r0 set v = " + stamp() + " where id % 20 = " + text(random().below(20)));
            break;
        default:
            by_.sql("insert into parted select nextval('parted_id'), " + region() + ", (" + owner() + " + n) % 8, " +
                    stamp() + " from generate_series(1, 3) n");
        }
    }

    void change_texts()
    {
        const std::string name = "'name " + text(random().between(1, 70)) + "'";
        switch (random().below(4)) {
        case 0:
            by_.sql("delete from texts where name = " + name);
            break;
        case 1:
            by_.sql("update texts set owner = " + owner() + " where name > " + name + " and name < " + name +
                    " || '9'");
            break;
        default:
            by_.sql("insert into texts values (" + name + ", " + owner() + ", " + stamp() +
                    ") on conflict (name) do update set body = excluded.body");
        }
    }

    void change_secrets()
    {
        const std::string id = text(random().between(1, 120));
        switch (random().below(5)) {
        case 0:
            by_.sql("delete from secrets where id = " + id);
            break;
        case 1:
            by_.sql(
                "update secrets set status = case status when 'open' then 'closed' else 'open' end where id between " +
                id + " and " + id + " + 3");
            break;
        case 2:
            by_.sql("update secrets set secret = " + stamp() + " where id between " + id + " and " + id + " + 3");
            break;
        case 3:
            by_.sql("update secrets set owner = " + owner() + ", public = null where id = " + id);
            break;
        default:
            by_.sql("insert into secrets values (" + id + ", " + owner() + ", 'open', 'p', " + stamp() +
                    ") on conflict (id) do update set public = excluded.secret");
        }
    }

    void change_quiet()
    {
        const std::string id = text(random().between(1, 60));
        switch (random().below(4)) {
        case 0:
            by_.sql("delete from quiet where id = " + id);
            break;
        case 1:
            by_.sql("update quiet set owner = " + owner() + " where id = " + id);
            break;
        default:
            by_.sql("insert into quiet values (" + id + ", " + owner() + ", " + stamp() +
                    ") on conflict (id) do update set v = excluded.v");
        }
    }

    writer by_;
    int number_;
    long serial_ = 0;
    long published_ = 0;
};

// One transaction of very many rows now and then, and another that takes them away.
void write_huge(const world& in, account& to, dice chance, unsigned most)
{
    writer by(in, to, std::move(chance));
    bool first = true;
    by.run([&] {
        by.in().sleep(first ? by.random.ms(3000, 10'000) : by.random.ms(15'000, 40'000));
        const long rows = first || by.random.once_in(10) ? most : by.random.between(most / 50, most / 5);
        by.begin();
        by.sql("insert into plain (id, owner, status, amount, note) select nextval('plain_bulk'), n % 8, "
               "(array['open', 'paid', 'draft', null])[1 + n % 4], n % 1000, 'huge ' || repeat('x', 100) from "
               "generate_series(1, " +
               text(rows) + ") n");
        by.commit();
        to.count("huge");
        first = false;
        by.in().sleep(by.random.ms(1000, 4000));
        if (by.random.once_in(8)) {
            by.sql("truncate plain");
            to.count("truncated");
        } else if (rows > most / 5 || by.random.once_in(2)) {
            by.sql("delete from plain where note like 'huge%'");
        } else {
            by.begin();
            by.sql("update plain set owner = (owner + 1) % 8 where note like 'huge%'");
            by.sql("savepoint s");
            by.sql("delete from plain where note like 'huge%'");
            by.sql(by.random.once_in(3) ? "rollback to s" : "release s");
            by.commit();
            by.sql("delete from plain where note like 'huge%'");
        }
    });
}

// Several of these make so many small transactions for some seconds that the doorbell had better be quiet, and then none.
void write_bursts(const world& in, account& to, dice chance)
{
    constexpr auto period = 20s;
    constexpr auto burst = 4s;
    writer by(in, to, std::move(chance));
    bool bursting = false;
    by.run([&] {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        if (now % period < burst) {
            bursting = true;
            by.sql("update plain set amount = amount + 1 where id = " + text(by.random.between(1, 60)));
            to.count("committed");
            return;
        }
        if (std::exchange(bursting, false) &&
            !by.sql("select from pg_locks where locktype = 'advisory' and objsubid = 2 "
                    "and mode = 'ExclusiveLock' and granted")
                 .empty()) {
            to.count("bursts that ended under a quiet doorbell");
        }
        by.in().sleep(100ms);
    });
}

} // namespace

writers::writers(const world& in, account& to, std::uint64_t seed, unsigned huge)
{
    const auto start = [&](auto work) {
        threads_.emplace_back([&to, work] {
            try {
                work();
            } catch (const std::exception& error) {
                to.fail(std::string("a writer: ") + error.what());
            }
        });
    };
    for (int number = 0; number < publishers + 2; ++number) {
        start(
            [&in, &to, seed, number] { clerk(in, to, dice(seed, 100 + static_cast<unsigned>(number)), number).run(); });
    }
    start([&in, &to, seed, huge] { write_huge(in, to, dice(seed, 200), huge); });
    for (unsigned number = 0; number < 3; ++number) {
        start([&in, &to, seed, number] { write_bursts(in, to, dice(seed, 210 + number)); });
    }
    start([&in, &to, seed] { change_definitions(in, to, dice(seed, 201)); });
}

writers::~writers()
{
    for (std::thread& each : threads_) {
        each.join();
    }
}

} // namespace rowcast::torture
