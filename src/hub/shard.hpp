#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "hub/gateway.hpp"
#include "hub/publication.hpp"

namespace rowcast::hub {

class feed;

// The feeds of one thread and which views they are on: hands each publication to those whom it concerns. One thread.
class shard {
public:
    shard(shard_id id, gateway& hub, event_writer write) : id_(id), hub_(hub), write_(write) {}
    shard(const shard&) = delete;

    void publish(const publication_ptr& published);

    // The cursor of the newest publication; empty before the first.
    const std::string& cursor() const { return cursor_; }
    std::size_t feeds() const { return feeds_; }

private:
    friend class feed;
    struct subscriber {
        feed* whose;
        std::size_t subscription; // the feed's own number for it
    };

    shard_id id_;
    gateway& hub_;
    event_writer write_;
    std::string cursor_;
    std::unordered_map<view_id, std::vector<subscriber>> subscribers_;
    std::unordered_set<feed*> unfinished_; // those who got a part of a transaction that goes on
    std::size_t feeds_ = 0;
};

} // namespace rowcast::hub
