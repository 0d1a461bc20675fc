#include "support/bridge_process.hpp"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/free_port.hpp"
#include "support/http_client.hpp"
#include "support/loopback.hpp"
#include "support/paths.hpp"

namespace rowcast::support {

bridge_process::bridge_process(const std::string& database_url, const std::string& rules, const options& how)
    : port_(free_port()), admin_port_(free_port()), most_files_(how.most_files)
{
    if (how.held) {
        socket_ = listen_at(port_);
    }
    file_ = std::filesystem::temp_directory_path() / ("rowcast-bridge-" + std::to_string(::getpid()) + "-" + std::to_string(port_) + ".yaml");
    std::ofstream(file_) << "database: {url: \"" << database_url << "\"}\n"
                         << "server:\n  listen: \"127.0.0.1:" << port_ << "\"\n  admin: \"127.0.0.1:" << admin_port_ << "\"\n"
                         << "  heartbeat: 60s\n" // who does not read does not answer pings either, and is not gone yet
                         << "  limits: {" << how.limits << "}\n"
                         << how.server
                         << "auth: {" << how.auth << "}\n"
                         << rules;
}

bridge_process::~bridge_process()
{
    running_.reset();
    std::filesystem::remove(file_);
    if (socket_ >= 0) {
        ::close(socket_);
    }
}

void bridge_process::start()
{
    std::vector<std::string> command = {rowcast_binary(), "serve", "--config", file_};
    std::string first;
    if (most_files_ > 0) {
        first += "ulimit -n " + std::to_string(most_files_) + "; ";
    }
    if (socket_ >= 0) {
        first += "exec 3<&" + std::to_string(socket_) + "; export LISTEN_FDS=1 LISTEN_PID=$$; "; // sd_listen_fds(3)
    }
    if (!first.empty()) {
        command.insert(command.begin(), {"bash", "-c", first + "exec \"$0\" \"$@\""});
    }
    running_ = std::make_unique<process>(command);
    const bool ready = eventually([&] {
        try {
            return http_client(admin_port_).get("/readyz").status == 200;
        } catch (const std::exception&) {
            return false;
        }
    });
    if (!ready) {
        running_->signal(SIGKILL);
        throw std::runtime_error("the bridge does not become ready: " + running_->error_rest());
    }
}

void bridge_process::stop()
{
    running_->signal(SIGTERM);
    running_->wait();
}

void bridge_process::kill()
{
    running_->signal(SIGKILL);
    running_->wait();
}

double bridge_process::metric(const std::string& name) const
{
    std::istringstream lines(http_client(admin_port_).get("/metrics").body);
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind(name, 0) == 0 && (line[name.size()] == ' ' || line[name.size()] == '{')) {
            sum += std::stod(line.substr(line.rfind(' ')));
        }
    }
    return sum;
}

std::uint64_t bridge_process::memory(const std::string& what) const
{
    std::ifstream status("/proc/" + std::to_string(running_->id()) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(what + ":", 0) == 0) {
            return std::stoull(line.substr(what.size() + 1)) * 1024;
        }
    }
    throw std::runtime_error("no " + what + " in the status of the bridge");
}

}
