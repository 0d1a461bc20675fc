// The first bytes of a connection that comes through a proxy: the PROXY protocol, versions 1 and 2.

#include "protocol/proxy_header.hpp"

#include <algorithm>
#include <optional>

#include "fuzz/fuzzer.hpp"

namespace rowcast::fuzz {
namespace {

using namespace protocol;
using outcome = decltype(parse_proxy_header({}));

bool is_incomplete(const outcome& read)
{
    return std::holds_alternative<incomplete_header>(read);
}

bool are_same(const outcome& left, const outcome& right)
{
    if (const auto *one = std::get_if<proxy_header>(&left), *other = std::get_if<proxy_header>(&right); one && other) {
        return one->size == other->size && one->source == other->source;
    }
    return left.index() == right.index();
}

} // namespace

void parse(std::string_view input)
{
    const outcome read = parse_proxy_header(input);
    if (const auto* header = std::get_if<proxy_header>(&read)) {
        must(header->size <= std::min(input.size(), longest_proxy_header), "a header is no longer than what has come, nor than it may be");
        must(is_incomplete(parse_proxy_header(input.substr(0, header->size - 1))), "it is awaited to its last byte");
    } else if (const auto* wrong = std::get_if<core::failure>(&read)) {
        must(wrong->code == core::error_code::malformed, "what is no header is malformed");
        must_be_readable(wrong->message);
    } else {
        must(input.size() < longest_proxy_header, "nobody is waited for beyond the longest header");
    }

    std::optional<outcome> decided;
    for (std::size_t size = 0; size <= std::min(input.size(), longest_proxy_header + 1); ++size) {
        outcome so_far = parse_proxy_header(input.substr(0, size));
        must(!decided || are_same(*decided, so_far), "what is decided stays, however much follows");
        if (!decided && !is_incomplete(so_far)) {
            decided = std::move(so_far);
        }
    }
    must(decided ? are_same(*decided, read) : is_incomplete(read), "and is the same whether it comes at once or byte by byte");
}

} // namespace rowcast::fuzz
