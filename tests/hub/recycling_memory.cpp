#include "hub/recycling_memory.hpp"

#include <catch2/catch.hpp>

#include <list>
#include <vector>

namespace rowcast::hub {

#ifndef ROWCAST_SANITIZED
TEST_CASE("What is given back is given out again, the newest first")
{
    recycling_memory memory;
    void* const first = memory.take(100);
    void* const second = memory.take(100);
    memory.give_back(first, 100);
    memory.give_back(second, 100);
    CHECK(memory.take(100) == second);
    CHECK(memory.take(100) == first);
    memory.give_back(first, 100);
    memory.give_back(second, 100);
}
#endif

TEST_CASE("A block of another size is never one that was kept")
{
    recycling_memory memory;
    void* const small = memory.take(8);
    memory.give_back(small, 8);
    void* const large = memory.take(200);
    CHECK(large != small);
    memory.give_back(large, 200); // while the small one is kept
}

TEST_CASE("Lists of one memory hold what they should, however many come and go")
{
    recycling_memory memory;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::list<int, recycling_allocator<int>>> lists(10, std::list<int, recycling_allocator<int>>(recycling_allocator<int>(memory)));
        for (int i = 0; i < 1000; ++i) {
            lists[static_cast<std::size_t>(i) % lists.size()].push_back(i);
        }
        for (std::size_t i = 0; i < lists.size(); ++i) {
            int expected = static_cast<int>(i);
            for (const int each : lists[i]) {
                CHECK(each == expected);
                expected += static_cast<int>(lists.size());
            }
        }
    }
}

} // namespace rowcast::hub
