// A whole connection: everything that one client sends, to a server that runs. The first byte says where: `p` begins with the PROXY
// protocol, `o` is the operators' address, anything else the clients'. At the first few \x1E the client waits a moment for an answer,
// without which nobody may speak WebSocket, nor polls are answered. It ends by sending nothing more.

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include "fuzz/fuzzer.hpp"
#include "net/running_server.hpp"
#include "support/raw_client.hpp"

namespace rowcast::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr int most_pauses = 3;

// By Unix sockets: ports run out at this speed.
class target {
public:
    target()
    {
        ::mkdtemp(folder_.data());
        net::running_server::options how;
        how.settings.listen = {{{at('c')}}, {.at = {at('p')}, .proxy_protocol = true}};
        how.settings.admin = config::listener{{at('o')}};
        how.settings.admin_token = "0123456789abcdef";
        how.settings.proxies.unix_sockets = true;
        how.settings.limits.connects_per_second_per_address = 1'000'000;
        how.shards = 1;
        running_ = std::make_unique<net::running_server>(std::move(how));
    }
    ~target()
    {
        running_.reset();
        std::filesystem::remove_all(folder_);
    }

    std::string at(char door) const { return folder_ + "/" + (door == 'p' || door == 'o' ? door : 'c'); }
    void must_be_well() const
    {
        for (const auto& failed : running_->seen().all<observe::background_failed>()) {
            must(false, "nothing that a client sends goes wrong in the bridge: " + failed.what + ": " + failed.reason);
        }
    }
    void forget() { running_->seen().forget(); }

private:
    std::string folder_ = (std::filesystem::temp_directory_path() / "rowcast-fuzz.XXXXXX").string();
    std::unique_ptr<net::running_server> running_;
};

} // namespace

void parse(std::string_view input)
{
    static target server;
    if (input.empty()) {
        return;
    }
    server.must_be_well(); // what the client before has sent may have taken its time
    server.forget();
    support::raw_client client(server.at(input.front()));
    input.remove_prefix(1);
    std::string answers;
    for (int pauses = 0; pauses < most_pauses; ++pauses) {
        const std::size_t pause = input.find('\x1E');
        if (pause == std::string_view::npos) {
            break;
        }
        client.send(input.substr(0, pause));
        input.remove_prefix(pause + 1);
        try {
            answers += client.read_until("\r\n\r\n", 20ms);
        } catch (const std::exception&) { // there is none
        }
    }
    client.send(input);
    client.finish_sending();
    try {
        answers += client.read_all(5s);
    } catch (const std::exception&) {
        must(false, "who says no more is let go");
    }
    must(answers.empty() || answers.starts_with("HTTP/1.1 "), "an answer is one of HTTP");
    must(answers.find("HTTP/1.1 500") == std::string::npos, "no request is too much for the bridge");
    server.must_be_well();
}

} // namespace rowcast::fuzz
