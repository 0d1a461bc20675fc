#include "postgres/event.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace rowcast::postgres {

event::event()
    : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (descriptor_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

event::~event()
{
    ::close(descriptor_);
}

void event::set()
{
    // Fails only when the counter is full, and then it is set.
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void event::clear()
{
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(descriptor_, &count, sizeof count);
}

bool event::is_set() const
{
    pollfd look{descriptor_, POLLIN, 0};
    return ::poll(&look, 1, 0) == 1;
}

} // namespace rowcast::postgres
