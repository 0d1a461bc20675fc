#include "app/admin_page.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "app/page_files.hpp"

namespace rowcast::app {
namespace {

constexpr std::string_view folder = "page/";

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> types{{{".html", "text/html; charset=utf-8"},
                                                                               {".css", "text/css; charset=utf-8"},
                                                                               {".js", "text/javascript; charset=utf-8"},
                                                                               {".svg", "image/svg+xml"}}};

} // namespace

std::optional<net::page> find_admin_page(std::string_view name)
{
    if (!name.empty() && !name.starts_with(folder)) {
        return std::nullopt;
    }
    const std::string_view file = name.empty() ? "index.html" : name.substr(folder.size());
    const auto found = std::find_if(page_files.begin(), page_files.end(), [&](const core::embedded_file& each) { return each.name == file; });
    const auto type = std::find_if(types.begin(), types.end(), [&](const auto& each) { return file.ends_with(each.first); });
    if (found == page_files.end() || type == types.end()) {
        return std::nullopt;
    }
    return net::page{std::string(type->second), std::string(found->text)};
}

} // namespace rowcast::app
