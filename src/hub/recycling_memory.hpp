#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace rowcast::hub {

// Memory for blocks of one size that come and go all the time: the last few that were given back are given out again, warm
// and without a visit to the heap. One thread; must outlive what uses it.
class recycling_memory {
public:
    recycling_memory() { kept_.reserve(most); }
    recycling_memory(const recycling_memory&) = delete;
    recycling_memory& operator=(const recycling_memory&) = delete;
    ~recycling_memory()
    {
        for (void* const each : kept_) {
            ::operator delete(each);
        }
    }

    void* take(std::size_t size)
    {
        if (kept_.empty() || size != size_) {
            return ::operator new(size);
        }
        void* const newest = kept_.back();
        kept_.pop_back();
        return newest;
    }

    void give_back(void* block, std::size_t size)
    {
        if (kept_.empty()) {
            size_ = size;
        }
        if (size == size_ && kept_.size() != most) {
            kept_.push_back(block);
        } else {
            ::operator delete(block);
        }
    }

private:
#ifdef ROWCAST_SANITIZED // which sees who uses a block that was given back, unless somebody has it by then
    static constexpr std::size_t most = 0;
#else
    static constexpr std::size_t most = 64;
#endif
    std::vector<void*> kept_;
    std::size_t size_ = 0; // of each of them
};

// For a standard container whose nodes come from there.
template <class T>
class recycling_allocator {
public:
    using value_type = T;

    explicit recycling_allocator(recycling_memory& from) : from_(&from) {}
    template <class Other>
    recycling_allocator(const recycling_allocator<Other>& other) : from_(other.from_)
    {
    }

    T* allocate(std::size_t many) { return static_cast<T*>(from_->take(many * sizeof(T))); }
    void deallocate(T* block, std::size_t many) { from_->give_back(block, many * sizeof(T)); }
    bool operator==(const recycling_allocator& other) const { return from_ == other.from_; }

private:
    static_assert(alignof(T) <= alignof(std::max_align_t));
    template <class Other>
    friend class recycling_allocator;
    recycling_memory* from_;
};

} // namespace rowcast::hub
