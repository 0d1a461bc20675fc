#include "core/batch.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::core;

namespace {

change logged(transaction_id xid, std::string at)
{
    change made;
    made.xid = xid;
    made.at = std::move(at);
    return made;
}

std::optional<std::chrono::system_clock::time_point> date(std::vector<change> changes)
{
    batch page;
    page.changes = std::move(changes);
    page.date();
    return page.logged;
}

} // namespace

TEST_CASE("a batch is as old as the transaction that has waited longest, and that as its last change")
{
    using namespace std::chrono_literals;
    const auto midnight = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);
    const auto found = date({logged(8, "2026-11-21T10:00:05.000000Z"), logged(8, "2026-11-21T10:00:07.123456Z"), logged(7, "2026-11-21T10:00:09.000000Z")});
    REQUIRE(found);
    CHECK(*found == midnight + 10h + 7s + 123456us);
}

TEST_CASE("a batch without changes, or with a time that is none, has no age")
{
    CHECK_FALSE(date({}));
    CHECK_FALSE(date({logged(1, "")}));
    CHECK_FALSE(date({logged(1, "2026-11-21 10:00:05.000000+0")}));
    CHECK_FALSE(date({logged(1, "2026-13-21T10:00:05.000000Z")}));
}
