#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace rowcast::hub {

// Memory for blocks of one size that come and go all the time: the last few that were given back are given out again, warm
// and without a visit to the heap. One thread; must outlive what uses it.
class recycling_memory {
public:
    recycling_memory() = default;
    recycling_memory(const recycling_memory&) = delete;
    ~recycling_memory()
    {
        while (many_ > 0) {
            ::operator delete(kept_[--many_]);
        }
    }

    void* take(std::size_t size) { return size == size_ && many_ > 0 ? kept_[--many_] : ::operator new(size); }

    void give_back(void* block, std::size_t size)
    {
        if (many_ == 0) {
            size_ = size;
        }
        if (size == size_ && many_ < most) {
            kept_[many_++] = block;
        } else {
            ::operator delete(block);
        }
    }

private:
    static constexpr std::size_t most = 64;
    std::array<void*, most> kept_;
    std::size_t many_ = 0;
    std::size_t size_ = 0; // of each that is kept
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
