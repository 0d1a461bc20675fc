#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rowcast::config {

// Where `${NAME}` is looked up; nothing where it is not set.
using environment = std::function<std::optional<std::string>(const std::string& name)>;

// The process's own.
environment process_environment();

struct expansion {
    std::string text;
    bool expanded = false; // something was replaced
};

// Replaces `${NAME}`, and `${NAME:-default}` where NAME is not set or empty; `$${` stands for `${`, and every other `$` for
// itself. A string says what is wrong: a variable that is not set, or a `${` without its end.
std::variant<expansion, std::string> expand(std::string_view text, const environment& names);

} // namespace rowcast::config
