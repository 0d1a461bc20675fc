#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace rowcast::support {

/// A port of 127.0.0.1 for clients that speak no TLS: what they send goes to another port inside TLS, and comes back out of it. It
/// believes any certificate, and says whose it was.
class tls_tunnel {
public:
    /// With this TLS version only (0x0303 is 1.2, 0x0304 is 1.3); 0: what both ends prefer.
    explicit tls_tunnel(std::uint16_t to, int version = 0);
    ~tls_tunnel();

    std::uint16_t port() const;

    /// Of the newest handshake: "TLSv1.3", or why it failed; and the name in the server's certificate.
    std::string protocol() const;
    std::string server_name() const;

    /// Connections that the server has ended, and of them those that it ended without TLS's close_notify.
    int ended() const;
    int cut_off() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}
