// bridge.yaml.

#include <algorithm>

#include "config/expectations.hpp"
#include "config/load.hpp"
#include "config/quantity.hpp"
#include "fuzz/fuzzer.hpp"

namespace rowcast::fuzz {
namespace {

using namespace config;

std::optional<std::string> variable(const std::string& name)
{
    return name == "SET" ? std::optional<std::string>("a: [value]\n# of the environment") : std::nullopt;
}

void check(const std::vector<problem>& found, const std::string& text)
{
    const auto lines = std::count(text.begin(), text.end(), '\n') + 2;
    for (const problem& each : found) {
        must(!each.message.empty(), "a problem says what it is");
        must(each.at.line >= 0 && each.at.line <= lines && each.at.column >= 0, "a problem stands in the file");
    }
}

} // namespace

void parse(std::string_view input)
{
    const std::string text(input);
    const loaded read = config::parse(text, variable);
    if (const auto* wrong = std::get_if<std::vector<problem>>(&read)) {
        must(has_errors(*wrong), "what is refused has an error");
        check(*wrong, text);
        must(std::get<std::vector<problem>>(config::parse(text, variable)) == *wrong, "what is wrong is wrong each time");
        return;
    }
    const auto& file = std::get<configuration>(read);
    must(file.server.limits.message_size > 0 && file.server.limits.sessions > 0, "limits are limits");
    must(file.server.heartbeat.count() > 0 && file.rollout.websocket <= 100 && file.rollout.sse <= 100, "settings have their ranges");
    check(config::check(file.rules, {}), text);
    for (const disappointment& each : hold(file, nullptr)) {
        check({each.what}, text);
    }
    check(misspelt_roles(file), text);
}

} // namespace rowcast::fuzz
