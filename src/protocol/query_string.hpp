#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace rowcast::protocol {

struct parameter {
    std::string name;
    std::string value;
};

// Percent-decoding, strict: fails with bad_request at a % without two hexadecimal digits, at a control character, and
// where the outcome is not UTF-8. `form`: a + is a space (application/x-www-form-urlencoded, what browsers write).
core::result<std::string> percent_decode(std::string_view text, bool form);

// The parameters of a URL's query (without its ?), decoded, in their order. An empty query has none; a parameter
// without `=`, or without a name, is a bad_request.
core::result<std::vector<parameter>> parse_query(std::string_view query);

} // namespace rowcast::protocol
