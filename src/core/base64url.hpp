#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rowcast::core {

// Base64 with the URL-safe alphabet and without padding (RFC 4648 section 5).
std::string to_base64url(std::string_view bytes);

// Nothing where the text has a character outside the alphabet, an impossible length, or stray bits at its end (each
// string of bytes has one spelling only).
std::optional<std::string> from_base64url(std::string_view text);

} // namespace rowcast::core
