// A JSON Web Key Set, as an address or a file gives it.

#include <algorithm>

#include "auth/key.hpp"
#include "config/jwt.hpp"
#include "fuzz/fuzzer.hpp"

namespace rowcast::fuzz {
namespace {

// Signed by nobody.
constexpr char token[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4ifQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

void check(const core::result<auth::key_set>& keys, bool secrets_allowed)
{
    if (!keys) {
        must_be_readable(keys.error().message);
        return;
    }
    must(!keys->empty() && keys->size() <= 100, "a set has its limit");
    const auto known = config::jwt_algorithms();
    for (const auth::key& each : *keys) {
        must(!each.algorithms.empty(), "a key is for something");
        for (const std::string& algorithm : each.algorithms) {
            must(std::find(known.begin(), known.end(), algorithm) != known.end(), "a key is for an algorithm that is known");
            must(secrets_allowed || !config::is_symmetric(algorithm), "what others can read has no secrets");
            must(!auth::is_signed(token, algorithm, each), "what nobody has signed is signed by no key");
        }
    }
}

} // namespace

void parse(std::string_view input)
{
    check(auth::read_key_set(std::string(input), false), false);
    check(auth::read_key_set(std::string(input), true), true);
}

} // namespace rowcast::fuzz
