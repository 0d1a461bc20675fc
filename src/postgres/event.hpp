#pragma once

namespace rowcast::postgres {

// A flag that one thread sets and another polls for together with a socket (eventfd(2)). `set` may be called from any
// thread and from signal handlers.
class event {
public:
    event();
    ~event();
    event(const event&) = delete;
    event& operator=(const event&) = delete;

    void set();
    void clear();
    bool is_set() const;

    int descriptor() const { return descriptor_; } // readable while set

private:
    int descriptor_;
};

} // namespace rowcast::postgres
