#include "net/session_count.hpp"

namespace rowcast::net {

core::result<session_count::place> session_count::enter(const std::string& subject)
{
    const std::lock_guard lock(mutex_);
    if (size_ >= most_) {
        return core::failure{core::error_code::too_many_sessions, "the server has as many sessions as it may have"};
    }
    if (!subject.empty()) {
        std::size_t& of_user = users_[subject];
        if (of_user >= most_of_user_) {
            if (of_user == 0) {
                users_.erase(subject);
            }
            return core::failure{core::error_code::too_many_sessions,
                                 "a user may have " + std::to_string(most_of_user_) + " sessions at a time"};
        }
        ++of_user;
    }
    ++size_;
    return place(*this, subject);
}

void session_count::limit(const config::limits& limits)
{
    const std::lock_guard lock(mutex_);
    most_ = limits.sessions;
    most_of_user_ = limits.sessions_per_user;
}

session_count::place::~place()
{
    if (!in_) {
        return;
    }
    const std::lock_guard lock(in_->mutex_);
    --in_->size_;
    if (const auto found = in_->users_.find(subject_); found != in_->users_.end() && --found->second == 0) {
        in_->users_.erase(found);
    }
}

} // namespace rowcast::net
