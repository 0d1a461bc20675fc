#pragma once

#include "support/paths.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::support {

/// A file of the source tree.
inline std::string text_of(const std::filesystem::path& path)
{
    std::ifstream file(source_dir() / path);
    if (!file) {
        throw std::runtime_error("there is no " + path.string());
    }
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// All of the ```yaml blocks of a manual.
inline std::vector<std::string> yaml_examples(const std::filesystem::path& manual)
{
    const std::string markdown = text_of(manual);
    std::vector<std::string> blocks;
    constexpr std::string_view fence = "```yaml\n";
    for (std::size_t at = markdown.find(fence); at != std::string::npos; at = markdown.find(fence, at + 1)) {
        const std::size_t begin = at + fence.size();
        blocks.push_back(markdown.substr(begin, markdown.find("```", begin) - begin));
    }
    return blocks;
}

/// The one that begins so.
inline std::string yaml_example(const std::filesystem::path& manual, std::string_view begin)
{
    for (std::string& each : yaml_examples(manual)) {
        if (each.starts_with(begin)) {
            return std::move(each);
        }
    }
    throw std::runtime_error(manual.string() + " has no example that begins with " + std::string(begin));
}

} // namespace rowcast::support
