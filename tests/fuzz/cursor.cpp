// Cursors that come back from clients, and PostgreSQL's text of a snapshot.
//
// A text that looks like a snapshot ("700:712:703,705") is also sealed, one of two (with a blank between) as a cursor inside a batch.

#include "core/cursor.hpp"

#include <algorithm>
#include <string>

#include "fuzz/fuzzer.hpp"

namespace rowcast::fuzz {
namespace {

using namespace core;

const cursor_codec ours("the fuzzer's log", "0123456789abcdef"); // corpus/cursor has some that it has sealed
const cursor_codec other_key("the fuzzer's log", "a key that was never used");
const cursor_codec other_log("another log", "0123456789abcdef");

void check_sealed(const cursor& position)
{
    const std::string sealed = ours.seal(position);
    if (sealed.size() > cursor_codec::longest) {
        return;
    }
    const auto opened = ours.open(sealed);
    must(opened.has_value() && *opened == position, "a cursor comes back as it was");
    must(other_key.open(sealed).has_error(), "the key is what makes a cursor ours");
    const auto foreign = other_log.open(sealed);
    must(foreign.has_error() && foreign.error().code == error_code::cursor_foreign, "another log's cursor is said to be one");
    for (std::size_t at = 0; at < std::min<std::size_t>(sealed.size(), 64); ++at) {
        std::string damaged = sealed;
        damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
        must(ours.open(damaged).has_error(), "a damaged cursor is refused");
    }
}

} // namespace

void parse(std::string_view input)
{
    const auto opened = ours.open(input);
    must(opened.has_value() || opened.error().code == error_code::cursor_malformed || opened.error().code == error_code::cursor_foreign,
         "a cursor is refused with one of two codes");
    must(!opened || ours.seal(*opened) == input, "a position has one spelling");
    must(other_key.open(input).has_error(), "a cursor that was not sealed by us is never believed");

    const std::size_t blank = std::min(input.find(' '), input.size());
    const auto seen = snapshot::parse(input.substr(0, blank));
    if (!seen) {
        return;
    }
    must(seen->is_valid() && snapshot::parse(seen->to_string()).value() == *seen, "a snapshot comes back as it was");
    must(seen->includes(*seen), "a snapshot sees what it sees");
    check_sealed({*seen, std::nullopt});
    if (const auto target = snapshot::parse(input.substr(std::min(blank + 1, input.size())))) {
        check_sealed({*seen, cursor::progress{*target, {target->xmax, target->xmin}}});
    }
}

} // namespace rowcast::fuzz
