#include "protocol/query_string.hpp"

#include <algorithm>

#include "core/excerpt.hpp"
#include "protocol/utf8.hpp"

namespace rowcast::protocol {
namespace {

using core::excerpt;
using core::failure;
using core::result;

failure bad(std::string message)
{
    return {core::error_code::bad_request, std::move(message)};
}

int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

} // namespace

result<std::string> percent_decode(std::string_view text, bool form)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = text.size() - i > 2 ? hex(text[i + 1]) : -1;
            const int low = text.size() - i > 2 ? hex(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return bad("a % in the URL is not followed by two hexadecimal digits");
            }
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            return bad("the URL has a control character");
        }
        out += c;
    }
    if (!is_utf8(out)) {
        return bad("the URL is not UTF-8");
    }
    return out;
}

result<std::vector<parameter>> parse_query(std::string_view query)
{
    std::vector<parameter> out;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view part = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = part.find('=');
        auto name = percent_decode(part.substr(0, equals), true);
        if (!name) {
            return name.error();
        }
        if (name->empty()) {
            return bad("the URL has a parameter without a name");
        }
        if (equals == std::string_view::npos) {
            return bad("the parameter " + excerpt(*name) + " has no value");
        }
        auto value = percent_decode(part.substr(equals + 1), true);
        if (!value) {
            return value.error();
        }
        out.push_back({std::move(*name), std::move(*value)});
    }
    return out;
}

} // namespace rowcast::protocol
