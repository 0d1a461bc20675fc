#pragma once

#include "core/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rowcast::config {

// Something in the configuration that its author should know of. Line 0: it is about the file as a whole.
struct problem {
    enum class weight {
        error,   // the configuration cannot be used
        warning, // it can, but probably does not do what was meant
    };

    core::mark at;
    std::string message;
    weight how_bad = weight::error;

    bool operator==(const problem&) const = default;
};

// In the order of the file; what is about the file as a whole comes last.
void sort_by_place(std::vector<problem>& found);

bool has_errors(const std::vector<problem>& found);

// `bridge.yaml:12:5: error: unknown key 'tabels'; did you mean 'tables'?`
std::string to_string(const problem& found, std::string_view file);

} // namespace rowcast::config
