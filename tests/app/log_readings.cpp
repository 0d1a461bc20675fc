#include "app/log_readings.hpp"

#include <future>
#include <mutex>

#include "app/running_bridge.hpp"
#include "postgres/catalog_reader.hpp"
#include "support/database.hpp"
#include "support/recorder.hpp"

namespace rowcast {
namespace {

using support::database;
using support::with_rowcast;

// The log of a database with the table `t`, read without a server: pages come when they are asked for, of those who own rows.
struct direct_readings {
    using page = hub::log_reading::page;

    const database db{with_rowcast};
    support::recorder got;
    postgres::connection on{{.url = db.url()}};
    const postgres::log_identity identity = postgres::claim_identity(on);
    const std::shared_ptr<const core::cursor_codec> codec = std::make_shared<const core::cursor_codec>(identity.codec());
    std::mutex one_at_a_time; // the thread of whoever reads, so to speak
    app::log_readings readings{{.url = db.url()}, 1, got.sink()};

    core::cursor start; // before the first row

    direct_readings()
    {
        readings.expect(identity, codec);
        db.execute("create table t (id int generated always as identity primary key, owner int); select rowcast.watch('t', notify => true)");
        start.seen = *core::snapshot::parse(on.execute("select pg_current_snapshot()").text(0, 0));
    }

    // `owner`: "": everybody's
    std::unique_ptr<hub::log_reading> begin(const std::string& owner)
    {
        core::object mine;
        if (!owner.empty()) {
            mine.emplace_back("owner", core::value{core::number{owner}});
        }
        policy::rules rules;
        rules.tables["public.t"].push_back({{}, policy::predicate::parse({std::move(mine)}, true).value(), std::nullopt, {}});
        const auto over = postgres::read_catalog(on)->find("public.t");
        const hub::view_spec view{std::make_shared<const policy::visibility>(policy::authorize(rules, over, {}, {}).value())};
        return readings.begin(start, codec, {view}, [this](const std::function<void()>& work) {
            const std::lock_guard held(one_at_a_time);
            work();
        });
    }

    static std::future<core::result<page>> ask(hub::log_reading& of)
    {
        const auto given = std::make_shared<std::promise<core::result<page>>>();
        of.next([given](auto each) { given->set_value(std::move(each)); });
        return given->get_future();
    }

    static page take(std::future<core::result<page>> asked)
    {
        REQUIRE(asked.wait_for(support::patience) == std::future_status::ready);
        return asked.get().value();
    }

    static std::vector<page> rest(hub::log_reading& of, std::future<core::result<page>> asked)
    {
        std::vector<page> all;
        for (page each = take(std::move(asked)); each.what; each = take(ask(of))) {
            all.push_back(each);
        }
        return all;
    }
    static std::vector<page> rest(hub::log_reading& of) { return rest(of, ask(of)); }

    static bool goes_on(const page& of) { return of.what->pages().front()->transaction_goes_on; }
};

} // namespace

TEST_CASE("Of a large transaction a reading gets the pages that concern it, and its end where it has a part of it")
{
    direct_readings at;
    at.db.execute("insert into t (owner) values (2)");
    at.db.execute("insert into t (owner) select case when i = 1 then 1 when i = 3500 then 3 else 0 end from generate_series(1, 3500) i");
    const auto first = at.begin("1");
    const auto earlier = at.begin("2");
    const auto last = at.begin("3");
    const auto nothing = at.begin("4");

    const auto of_first = direct_readings::rest(*first);
    REQUIRE(of_first.size() > 2);
    CHECK(direct_readings::goes_on(of_first.front()));
    CHECK_FALSE(direct_readings::goes_on(of_first.back()));
    const auto of_earlier = direct_readings::rest(*earlier);
    REQUIRE(of_earlier.size() == 1);
    CHECK(direct_readings::goes_on(of_earlier.front())); // but it has no part of that
    CHECK(direct_readings::rest(*last).size() == 1);
    CHECK(direct_readings::rest(*nothing).empty());
}

TEST_CASE("A reading that a pass has gone on without, inside a transaction that concerns it, is given the transaction's end by another")
{
    direct_readings at;
    at.db.execute("insert into t (owner) select case when i = 1 then 1 else 0 end from generate_series(1, 3500) i");
    const auto slow = at.begin("1");
    const auto everything = at.begin("");
    auto slow_asked = direct_readings::ask(*slow);
    auto asked = direct_readings::ask(*everything);
    const auto page = direct_readings::take(std::move(slow_asked));
    REQUIRE(page.what);
    REQUIRE(direct_readings::goes_on(page));
    // The other one reads to the end; it is not held up for long.
    CHECK(direct_readings::rest(*everything, std::move(asked)).size() > 3);
    const auto left = direct_readings::rest(*slow);
    REQUIRE_FALSE(left.empty());
    CHECK_FALSE(direct_readings::goes_on(left.back()));
}

} // namespace rowcast
