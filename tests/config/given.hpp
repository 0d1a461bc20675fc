#pragma once

#include "config/load.hpp"

#include <map>

namespace rowcast::tests {

/// An environment with these variables and no others.
inline config::environment with(std::map<std::string, std::string> variables)
{
    return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

/// What a valid text means; throws with its problems otherwise.
inline config::configuration valid(const std::string& text, std::map<std::string, std::string> variables = {})
{
    auto read = config::parse(text, with(std::move(variables)));
    if (const auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
        std::string all;
        for (const config::problem& each : *problems) {
            all += to_string(each, "test.yaml") + "\n";
        }
        throw std::runtime_error(all);
    }
    return std::get<config::configuration>(std::move(read));
}

/// What is wrong with a text, a line each; empty where nothing is.
inline std::string problems(const std::string& text, std::map<std::string, std::string> variables = {})
{
    const auto read = config::parse(text, with(std::move(variables)));
    std::string all;
    if (const auto* found = std::get_if<std::vector<config::problem>>(&read)) {
        for (const config::problem& each : *found) {
            all += (all.empty() ? "" : "\n") + to_string(each, "test.yaml");
        }
    }
    return all;
}

inline bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace rowcast::tests
