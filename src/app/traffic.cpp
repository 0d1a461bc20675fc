#include "app/traffic.hpp"

namespace rowcast::app {

void traffic::add(const core::batch& page)
{
    const std::lock_guard lock(mutex_);
    auto last = counts_.end(); // most come in runs
    for (const core::change& each : page.changes) {
        if (each.table.empty()) {
            continue;
        }
        if (last == counts_.end() || last->first != each.table) {
            last = counts_.try_emplace(each.table).first;
        }
        counts& of = last->second;
        ++(each.op == core::operation::insert   ? of.inserts
           : each.op == core::operation::update ? of.updates
           : each.op == core::operation::remove ? of.deletes
                                                : of.others);
    }
}

traffic::by_table traffic::now() const
{
    const std::lock_guard lock(mutex_);
    return counts_;
}

} // namespace rowcast::app
