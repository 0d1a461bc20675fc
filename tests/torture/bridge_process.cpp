#include "torture/bridge_process.hpp"

#include "support/free_port.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "torture/schema.hpp"

#include <csignal>
#include <fstream>
#include <sstream>

namespace rowcast::torture {
namespace {

using namespace std::chrono_literals;

const std::string secret = "a secret of the torture test, 32 bytes and more";

std::string configuration(std::uint16_t postgres, std::uint16_t port, std::uint16_t admin_port, const bridge_options& options)
{
    return "database:\n"
           "  url: postgresql://bridge@127.0.0.1:" +
           std::to_string(postgres) +
           "/torture\n"
           "  poll_interval: 1s\n"
           "  retention: {age: " +
           std::to_string(options.retention.count()) +
           "s}\n"
           "server:\n"
           "  listen: 127.0.0.1:" +
           std::to_string(port) +
           "\n"
           "  admin: 127.0.0.1:" +
           std::to_string(admin_port) +
           "\n"
           "  heartbeat: 2s\n"
           "  limits: {connects_per_second_per_address: 100000, messages_per_second: 1000, send_buffer: " +
           options.send_buffer +
           "}\n"
           "auth:\n"
           "  jwt: [{algorithm: HS256, secret: \"" +
           secret +
           "\"}]\n"
           "  anonymous: false\n"
           "log: {level: info}\n" +
           rules_yaml();
}

} // namespace

bridge_process::bridge_process(const std::filesystem::path& folder, std::uint16_t postgres,
                               const bridge_options& options)
    : number_(options.number)
    , descriptors_(options.descriptors)
    , wire_(postgres)
    , port_(support::free_port())
    , admin_port_(support::free_port())
    , configuration_(folder / ("bridge-" + std::to_string(options.number) + ".yaml"))
    , log_(folder / ("bridge-" + std::to_string(options.number) + ".log"))
{
    std::ofstream(configuration_) << configuration(wire_.port(), port_, admin_port_, options);
}

void bridge_process::start()
{
    // The shell sets the limit and writes what the bridge says to a file; then it is the bridge.
    const std::string script =
        "ulimit -n " + std::to_string(descriptors_) + R"(; exec "$0" serve --config "$1" 2>>"$2")";
    child_ = std::make_unique<support::process>(
        std::vector<std::string>{"bash", "-c", script, support::rowcast_binary(), configuration_, log_});
}

void bridge_process::kill()
{
    child_->signal(SIGKILL);
    child_->wait();
}

int bridge_process::terminate()
{
    child_->signal(SIGTERM);
    return child_->wait(60s);
}

bool bridge_process::ready() const
{
    try {
        return support::http_client(port_).get("/readyz", {}, 5s).status == 200;
    } catch (const std::exception&) {
        return false;
    }
}

void bridge_process::tell_metrics(account& to) const
{
    std::istringstream lines(support::http_client(admin_port_).get("/metrics").body);
    for (std::string line; std::getline(lines, line);) {
        for (const std::string name :
             {"rowcast_sessions_fell_behind_total", "rowcast_catch_up_changes_total", "rowcast_bad_changes_total"}) {
            if (line.starts_with(name + " ")) {
                to.count("bridges: " + name, static_cast<std::uint64_t>(std::stod(line.substr(name.size()))));
            }
        }
    }
}

std::string token_for(const std::string& subject, const std::string& role, int owner)
{
    std::string token = support::run({support::rowcast_binary(), "token", "--sub", subject, "--role", role, "--claim",
                                      "owner=" + std::to_string(owner), "--expires", "7d", "--secret", secret});
    while (!token.empty() && token.back() == '\n') {
        token.pop_back();
    }
    return token;
}

} // namespace rowcast::torture
