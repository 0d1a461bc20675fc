#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

namespace rowcast::net {

// The file of a Unix socket that is listened on. Destroyed, it is gone, unless somebody else has taken its place.
class local_socket {
public:
    local_socket() = default;

    // A socket that listens at `path`, where nobody listens: a file that a bridge has left behind is replaced. Nobody can connect
    // before it has its `mode`. Throws std::system_error: std::errc::address_in_use where somebody listens, std::errc::file_exists
    // where there is a file of another kind.
    static std::pair<int, local_socket> listen(const std::string& path, mode_t mode, int backlog);

    ~local_socket();
    local_socket(local_socket&& other) noexcept : path_(std::exchange(other.path_, {})), device_(other.device_), file_(other.file_) {}
    local_socket& operator=(local_socket&& other) noexcept
    {
        std::swap(path_, other.path_);
        std::swap(device_, other.device_);
        std::swap(file_, other.file_);
        return *this;
    }

private:
    std::string path_; // empty: none
    dev_t device_ = 0;
    ino_t file_ = 0;
};

} // namespace rowcast::net
