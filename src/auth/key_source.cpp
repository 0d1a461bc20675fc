#include "auth/key_source.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "auth/fetch.hpp"
#include "config/jwt.hpp"

namespace rowcast::auth {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t largest_file = 1024 * 1024;
constexpr milliseconds to_fetch{10'000};

core::result<std::string> read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return core::failure{core::error_code::unavailable, "the file cannot be opened"};
    }
    std::string text;
    text.resize(largest_file + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > largest_file) {
        return core::failure{core::error_code::unavailable, "the file is larger than a megabyte"};
    }
    return text;
}

// Without its query, where some keep a secret.
std::string shown(const std::string& where)
{
    return config::is_url(where) ? where.substr(0, where.find('?')) : where;
}

} // namespace

core::result<key_set> read_key_set_file(const std::string& path)
{
    auto text = read_file(path);
    return text ? read_key_set(*text, true) : core::result<key_set>(text.error());
}

key_source::key_source(std::string where, observe::sink tell, pauses waiting)
    : where_(std::move(where)), tell_(std::move(tell)), waiting_(waiting), thread_([this] { run(); })
{
}

key_source::~key_source()
{
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

std::shared_ptr<const key_set> key_source::now() const
{
    const std::lock_guard lock(mutex_);
    return keys_;
}

bool key_source::demand()
{
    const std::lock_guard lock(mutex_);
    const auto time = clock::now();
    if (demanded_ != clock::time_point{} && time - demanded_ < waiting_.between_demands) {
        return false;
    }
    demanded_ = time;
    look_now_ = true;
    changed_.notify_all();
    return true;
}

void key_source::run()
{
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        look_now_ = false;
        lock.unlock();
        const milliseconds pause = look();
        lock.lock();
        changed_.wait_for(lock, pause, [this] { return stopped_ || look_now_; });
    }
}

// Returns when to look again.
milliseconds key_source::look()
{
    milliseconds pause{0};
    auto text = read(pause);
    if (text && *text == last_content_) {
        failures_ = 0;
        return pause;
    }
    auto read_keys = text ? read_key_set(*text, !config::is_url(where_)) : core::result<key_set>(text.error());
    if (!read_keys) {
        // Full jitter, as in postgres/follower_life.
        const milliseconds ceiling = std::min(waiting_.last_retry, waiting_.first_retry * (1 << std::min(failures_++, 16U)));
        std::minstd_rand random(std::random_device{}());
        pause = milliseconds(std::uniform_int_distribution<milliseconds::rep>(ceiling.count() / 2, ceiling.count())(random));
        const std::lock_guard lock(mutex_);
        if (!stopped_ && tell_) {
            tell_(observe::keys_unreadable{shown(where_), read_keys.error().message, pause, keys_ != nullptr});
        }
        return pause;
    }
    failures_ = 0;
    last_content_ = std::move(*text);
    const std::size_t count = read_keys->size();
    {
        const std::lock_guard lock(mutex_);
        keys_ = std::make_shared<const key_set>(std::move(*read_keys));
    }
    if (tell_) {
        tell_(observe::keys_read{shown(where_), count});
    }
    return pause;
}

core::result<std::string> key_source::read(milliseconds& fresh_for)
{
    if (!config::is_url(where_)) {
        fresh_for = waiting_.file;
        return read_file(where_);
    }
    const auto cancelled = [this] {
        const std::lock_guard lock(mutex_);
        return stopped_;
    };
    auto got = fetch(where_, to_fetch, cancelled);
    if (!got) {
        return got.error();
    }
    fresh_for = std::clamp(got->fresh_for ? milliseconds(std::min(*got->fresh_for, std::chrono::seconds(1'000'000))) : waiting_.usually_fresh,
                           waiting_.least_fresh, waiting_.most_fresh);
    return std::move(got->body);
}

} // namespace rowcast::auth
