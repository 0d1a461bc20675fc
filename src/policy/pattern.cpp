#include "policy/pattern.hpp"

#include "policy/literal_text.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

std::size_t character_size(std::string_view text, std::size_t at)
{
    std::size_t size = 1;
    while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80) {
        ++size;
    }
    return size;
}

} // namespace

bool ends_in_escape(std::string_view pattern)
{
    const std::size_t last_other = pattern.find_last_not_of('\\');
    const std::size_t escapes = pattern.size() - (last_other == std::string_view::npos ? 0 : last_other + 1);
    return escapes % 2 == 1;
}

// Only the last `%` is ever come back to: what an earlier one could still match, the last one can too.
bool is_like(std::string_view text, std::string_view pattern)
{
    std::size_t at = 0;
    std::size_t in_pattern = 0;
    std::size_t after_percent = std::string_view::npos;
    std::size_t retry = 0;
    while (at < text.size()) {
        if (in_pattern < pattern.size() && pattern[in_pattern] == '%') {
            after_percent = ++in_pattern;
            retry = at;
            continue;
        }
        if (in_pattern < pattern.size() && pattern[in_pattern] == '_') {
            ++in_pattern;
            at += character_size(text, at);
            continue;
        }
        const std::size_t escape = in_pattern < pattern.size() && pattern[in_pattern] == '\\' ? 1 : 0;
        if (in_pattern + escape < pattern.size() && pattern[in_pattern + escape] == text[at]) {
            in_pattern += escape + 1;
            ++at;
            continue;
        }
        if (after_percent == std::string_view::npos) {
            return false;
        }
        retry += character_size(text, retry);
        at = retry;
        in_pattern = after_percent;
    }
    return pattern.find_first_not_of('%', in_pattern) == std::string_view::npos;
}

std::string fold(std::string_view text)
{
    std::string folded(text);
    std::transform(folded.begin(), folded.end(), folded.begin(), to_lower);
    return folded;
}

} // namespace rowcast::policy
