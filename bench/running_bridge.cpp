#include "running_bridge.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"

namespace rowcast::bench {
namespace {

bool ready(std::uint16_t port)
{
    try {
        return support::http_client(port).get("/readyz").status == 200;
    } catch (const std::exception&) {
        return false; // it does not listen yet
    }
}

} // namespace

running_bridge::running_bridge(const std::string& database_url, const std::vector<std::string>& tables)
    : port_(support::free_port())
    , file_(std::filesystem::temp_directory_path() / ("rowcast-bench-" + std::to_string(::getpid()) + "-" + std::to_string(port_) + ".yaml"))
{
    std::ofstream out(file_);
    out << "database: {url: \"" << database_url << "\"}\n"
        << "server: {listen: \"127.0.0.1:" << port_ << "\", admin: \"127.0.0.1:" << support::free_port() << "\", heartbeat: 60s}\n"
        << "auth: {anonymous: true}\ntables:\n";
    for (const std::string& table : tables) {
        out << "  " << table << ": [{roles: [anonymous]}]\n";
    }
    out.close();
    process_ = std::make_unique<support::process>(std::vector<std::string>{support::rowcast_binary(), "serve", "--config", file_});
    if (!support::eventually([this] { return ready(port_); })) {
        throw std::runtime_error("the bridge does not become ready:\n" + process_->error_rest(std::chrono::milliseconds(100)));
    }
}

running_bridge::~running_bridge()
{
    process_.reset();
    std::filesystem::remove(file_);
}

std::chrono::duration<double> running_bridge::cpu() const
{
    std::ifstream in("/proc/" + std::to_string(process_->id()) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::istringstream fields(text.substr(text.rfind(')') + 2)); // from the third on, `state` (man 5 proc)
    std::string skipped;
    for (int i = 3; i < 14; ++i) {
        fields >> skipped;
    }
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::duration<double>(static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

} // namespace rowcast::bench
