#include "net/session_count.hpp"

namespace rowcast::net {
namespace {

core::failure too_many(std::string why)
{
    return {core::error_code::too_many_sessions, std::move(why)};
}

// One more; end where there are as many as there may be.
template <class Map>
typename Map::iterator add(Map& to, const typename Map::key_type& key, std::size_t most)
{
    const auto entry = to.try_emplace(key, 0).first;
    if (entry->second >= most) {
        return to.end(); // most is not 0, so that the entry is an old one
    }
    ++entry->second;
    return entry;
}

template <class Map>
void remove(Map& from, typename Map::iterator entry)
{
    if (entry != from.end() && --entry->second == 0) {
        from.erase(entry);
    }
}

} // namespace

core::result<session_count::place> session_count::enter(const std::string& subject, const origin_address& from)
{
    const std::lock_guard lock(mutex_);
    if (size_ >= most_) {
        return too_many("the server has as many sessions as it may have");
    }
    const auto user = enter_user(subject);
    if (!user) {
        return user.error();
    }
    auto address = addresses_.end();
    if (from) {
        address = add(addresses_, from->owner(), most_of_address_);
        if (address == addresses_.end()) {
            remove(users_, *user);
            return too_many("an address may have " + std::to_string(most_of_address_) + " sessions at a time");
        }
    }
    ++size_;
    place made;
    made.in_ = this;
    made.user_ = *user;
    made.address_ = address;
    return made;
}

core::result<session_count::users::iterator> session_count::enter_user(const std::string& subject)
{
    if (subject.empty()) {
        return users_.end();
    }
    const auto user = add(users_, subject, most_of_user_);
    if (user == users_.end()) {
        return too_many("a user may have " + std::to_string(most_of_user_) + " sessions at a time");
    }
    return user;
}

void session_count::limit(const config::limits& limits)
{
    const std::lock_guard lock(mutex_);
    most_ = limits.sessions;
    most_of_user_ = limits.sessions_per_user;
    most_of_address_ = limits.sessions_per_address;
}

core::result<void> session_count::place::pass_to(const std::string& subject)
{
    const std::lock_guard lock(in_->mutex_);
    const auto user = in_->enter_user(subject);
    if (!user) {
        return user.error();
    }
    remove(in_->users_, std::exchange(user_, *user));
    return {};
}

session_count::place::~place()
{
    if (!in_) {
        return;
    }
    const std::lock_guard lock(in_->mutex_);
    --in_->size_;
    remove(in_->users_, user_);
    remove(in_->addresses_, address_);
}

} // namespace rowcast::net
