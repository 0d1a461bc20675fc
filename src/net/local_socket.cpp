#include "net/local_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace rowcast::net {
namespace {

[[noreturn]] void fail(int why, const std::string& what)
{
    throw std::system_error(why, std::generic_category(), what);
}

class descriptor {
public:
    explicit descriptor(int number) : number_(number)
    {
        if (number_ < 0) {
            fail(errno, "no file can be made there");
        }
    }
    ~descriptor()
    {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    descriptor(descriptor&& other) noexcept : number_(other.release()) {}

    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

private:
    int number_;
};

descriptor new_socket()
{
    return descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Held by who looks whether somebody listens and then does: two who begin at the same moment would both find nobody, and one of
// them listen where no client comes. The kernel lets go of it if its owner is killed.
class turn {
public:
    explicit turn(std::string path) : path_(std::move(path)), file_(open())
    {
    }
    ~turn() { ::unlink(path_.c_str()); }
    turn(const turn&) = delete;

private:
    descriptor open() const
    {
        for (;;) {
            descriptor file(::open(path_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
            struct stat opened {};
            if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(file.get(), &opened) != 0) {
                fail(errno == EWOULDBLOCK ? EADDRINUSE : errno, "somebody begins to listen there");
            }
            if (opened.st_nlink > 0) {
                return file;
            } // else whoever had it has removed it meanwhile
        }
    }

    const std::string path_;
    const descriptor file_;
};

sockaddr_un address_of(const std::string& path)
{
    sockaddr_un made{};
    made.sun_family = AF_UNIX;
    if (path.size() >= sizeof made.sun_path) {
        fail(ENAMETOOLONG, path);
    }
    std::memcpy(made.sun_path, path.data(), path.size());
    return made;
}

const sockaddr* generic(const sockaddr_un& of)
{
    return reinterpret_cast<const sockaddr*>(&of);
}

void check_that_nobody_listens(const std::string& path)
{
    struct stat there {};
    if (::lstat(path.c_str(), &there) != 0) {
        return;
    }
    if (!S_ISSOCK(there.st_mode)) {
        fail(EEXIST, "there is a file of another kind");
    }
    const descriptor probe = new_socket();
    const sockaddr_un address = address_of(path);
    // Only a refusal says that nobody is there; who may not connect, or not at once, does not know.
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || (errno != ECONNREFUSED && errno != ENOENT)) {
        fail(EADDRINUSE, "somebody listens there");
    }
}

} // namespace

// Made beside its place and moved there, so that the old file makes room and the new one appears in one moment.
std::pair<int, local_socket> local_socket::listen(const std::string& path, mode_t mode, int backlog)
{
    const turn ours(path + ".lock");
    check_that_nobody_listens(path);
    descriptor made = new_socket();
    local_socket file;
    const std::string aside = path + ".new";
    ::unlink(aside.c_str());
    const sockaddr_un address = address_of(aside);
    struct stat there {};
    if (::bind(made.get(), generic(address), sizeof address) != 0) {
        fail(errno, "no file can be made there");
    }
    if (::chmod(aside.c_str(), mode) != 0 || ::lstat(aside.c_str(), &there) != 0 || ::listen(made.get(), backlog) != 0 ||
        std::rename(aside.c_str(), path.c_str()) != 0) {
        const int why = errno;
        ::unlink(aside.c_str());
        fail(why, "no file can be made there");
    }
    file.path_ = path;
    file.device_ = there.st_dev;
    file.file_ = there.st_ino;
    return {made.release(), std::move(file)};
}

local_socket::~local_socket()
{
    struct stat there {};
    if (!path_.empty() && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == file_) {
        ::unlink(path_.c_str());
    }
}

} // namespace rowcast::net
