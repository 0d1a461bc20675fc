#pragma once

#include <optional>
#include <string_view>

#include "net/services.hpp"

namespace rowcast::app {

// The page for operators: itself for an empty name, and what it is made of for page/NAME. It asks for nothing from anywhere else.
std::optional<net::page> find_admin_page(std::string_view name);

} // namespace rowcast::app
