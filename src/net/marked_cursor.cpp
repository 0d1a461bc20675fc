#include "net/marked_cursor.hpp"

#include "policy/fingerprint.hpp"

namespace rowcast::net {
namespace {

constexpr char separator = '.'; // in no cursor, and needs no encoding in URLs

} // namespace

cursor_mark::cursor_mark(const services& with, const policy::identity& who)
{
    if (const auto rules = with.permitted().rules) {
        text_ = separator + policy::fingerprint(*rules, who);
    }
}

std::string cursor_mark::put_on(std::string_view cursor) const
{
    std::string out;
    if (!cursor.empty()) {
        out.reserve(cursor.size() + text_.size());
        out.append(cursor).append(text_);
    }
    return out;
}

cursor_mark::returned cursor_mark::take_off(const std::optional<std::string>& cursor) const
{
    const std::size_t at = cursor ? cursor->rfind(separator) : std::string::npos;
    if (at == std::string::npos) {
        return {cursor, std::nullopt};
    }
    const std::string_view mark = std::string_view(*cursor).substr(at);
    if (mark.size() != text_.size()) { // they are all as long
        return {std::nullopt, core::error_code::cursor_malformed};
    }
    if (mark != text_) {
        return {std::nullopt, core::error_code::permissions_changed};
    }
    return {cursor->substr(0, at), std::nullopt};
}

} // namespace rowcast::net
