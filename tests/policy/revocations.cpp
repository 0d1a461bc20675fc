#include "policy/revocations.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

using namespace rowcast;
using policy::identity;
using policy::revocation;
using policy::revocations;
using kind = revocation::kind;

namespace {

constexpr std::int64_t now = 1'763'720'000;
constexpr std::int64_t later = now + 3600;

identity who(std::string subject, std::optional<std::int64_t> issued, std::string id = "")
{
    identity made;
    made.subject = std::move(subject);
    made.issued = issued;
    made.token_id = std::move(id);
    return made;
}

} // namespace

TEST_CASE("a revoked user comes back with a token that was issued later, and not with an older one", "[revocations]")
{
    revocations all;
    all.add({kind::user, "ann", now, later});
    CHECK(all.admit(who("ann", now - 1), "", now).error().code == core::error_code::token_revoked);
    CHECK_FALSE(all.admit(who("ann", now), "", now));
    CHECK(all.admit(who("ann", now + 1), "", now));
    CHECK(all.admit(who("bob", now - 1), "", now));
    CHECK(all.admit(who("", std::nullopt), "", now)); // the anonymous
}

TEST_CASE("a token that does not say when it was issued is refused as long as the revocation lasts", "[revocations]")
{
    revocations all;
    all.add({kind::user, "ann", now, later});
    CHECK_FALSE(all.admit(who("ann", std::nullopt), "", later - 1));
    CHECK(all.admit(who("ann", std::nullopt), "", later));
}

TEST_CASE("a token or a session is revoked alone, and names of one kind are none of another", "[revocations]")
{
    revocations all;
    all.add({kind::token, "t1", now, later});
    all.add({kind::session, "s1", now, later});
    CHECK_FALSE(all.admit(who("ann", now, "t1"), "", now));
    CHECK(all.admit(who("ann", now, "t2"), "", now));
    CHECK(all.admit(who("t1", now, "s1"), "t1", now));
    CHECK_FALSE(all.admit(who("ann", now), "s1", now));
    CHECK(all.admit(who("ann", now), "s2", now));
}

TEST_CASE("the newer revocation of a name counts, and what has ended is forgotten", "[revocations]")
{
    revocations all;
    all.add({kind::user, "ann", now, later});
    all.add({kind::user, "ann", now + 10, later + 10});
    CHECK(all.size() == 1);
    CHECK_FALSE(all.admit(who("ann", now + 10), "", now + 20));
    all.remove_ended(later);
    CHECK(all.size() == 1);
    all.remove_ended(later + 10);
    CHECK(all.size() == 0);
}
