#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace rowcast::hub {

// What belongs to a key, usually one value: a hash table with open addressing, where one of a million is found by one
// access to memory; std::unordered_map takes four (bench/matching). A value that equals Value() is none.
template <class Value>
class key_table {
public:
    void add(std::uint64_t key, Value added)
    {
        if ((used_ + 1) * 5 > slots_.size() * 4) {
            grow();
        }
        slot& place = slots_[place_of(key)];
        if (place.one == Value()) {
            ++used_;
            place.key = key;
            place.one = added;
            return;
        }
        if (!place.others) {
            place.others = std::make_unique<std::vector<Value>>();
        }
        place.others->push_back(added);
    }

    // It must be there.
    void remove(std::uint64_t key, const Value& removed)
    {
        const std::size_t place = place_of(key);
        slot& from = slots_[place];
        if (!from.others) {
            assert(from.one == removed);
            vacate(place);
            return;
        }
        std::vector<Value>& others = *from.others;
        const auto found = std::find(others.rbegin(), others.rend(), removed);
        assert(found != others.rend() || from.one == removed);
        (found != others.rend() ? *found : from.one) = others.back();
        others.pop_back();
        if (others.empty()) {
            from.others.reset();
        }
    }

    // Calls `visit(value)` for each that belongs to the key, in no order.
    template <class Visit>
    void find(std::uint64_t key, Visit visit) const
    {
        if (used_ != 0) {
            visit_all(slots_[place_of(key)], visit);
        }
    }

    template <class Visit>
    void for_each(Visit visit) const
    {
        for (const slot& each : slots_) {
            visit_all(each, visit);
        }
    }

    bool empty() const { return used_ == 0; }

private:
    struct slot {
        std::uint64_t key = 0;
        Value one = {}; // none: nobody's place
        std::unique_ptr<std::vector<Value>> others;
    };

    template <class Visit>
    static void visit_all(const slot& found, Visit& visit)
    {
        if (found.one != Value()) {
            visit(found.one);
            if (found.others) {
                std::for_each(found.others->begin(), found.others->end(), visit);
            }
        }
    }

    // Fibonacci hashing, so that also consecutive keys are spread over however many slots there are.
    std::size_t home_of(std::uint64_t key) const
    {
        return static_cast<std::size_t>(((key * 0x9E3779B97F4A7C15U) >> 32) * slots_.size() >> 32);
    }

    std::size_t next(std::size_t place) const { return place + 1 == slots_.size() ? 0 : place + 1; }

    // Where the key is, or would be.
    std::size_t place_of(std::uint64_t key) const
    {
        std::size_t place = home_of(key);
        while (slots_[place].one != Value() && slots_[place].key != key) {
            place = next(place);
        }
        return place;
    }

    // Those behind it move up, but none to before its home.
    void vacate(std::size_t hole)
    {
        --used_;
        slots_[hole] = {};
        for (std::size_t i = next(hole); slots_[i].one != Value(); i = next(i)) {
            const std::size_t home = home_of(slots_[i].key);
            const bool is_between = hole < i ? hole < home && home <= i : hole < home || home <= i;
            if (!is_between) {
                slots_[hole] = std::exchange(slots_[i], {});
                hole = i;
            }
        }
    }

    void grow()
    {
        std::vector<slot> before = std::exchange(slots_, std::vector<slot>(slots_.size() + slots_.size() / 2 + 4));
        for (slot& each : before) {
            if (each.one != Value()) {
                slots_[place_of(each.key)] = std::move(each);
            }
        }
    }

    std::vector<slot> slots_;
    std::size_t used_ = 0; // keys
};

} // namespace rowcast::hub
