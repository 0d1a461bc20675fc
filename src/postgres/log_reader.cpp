#include "postgres/log_reader.hpp"

#include <utility>

namespace rowcast::postgres {

using core::error_code;
using core::failure;

log_reader::log_reader(connection_options options, const observe::sink& sink, const event* stop, page_limits limits)
    : options_(std::move(options))
    , sink_(sink)
    , stop_(stop)
    , limits_(limits)
{
    options_.purpose = "rowcast reader";
    limits_.expects_many = true;
}

void log_reader::open(log_identity expected, core::cursor from, log_filter filter)
{
    close();
    open_ = true;
    to_now_ = reached_now_ = false;
    expected_ = std::move(expected);
    filter_ = std::move(filter);
    position_ = std::move(from);
    expired_through_.reset();
    pages_ = changes_ = 0;
}

core::result<core::batch_ptr> log_reader::next()
{
    if (!open_ || reached_now_) {
        return core::batch_ptr();
    }
    try {
        return next_page();
    } catch (const interrupted&) {
        step_.reset();
        connection_.reset();
        return failure{error_code::shutdown, std::string(core::describe(error_code::shutdown).sentence)};
    } catch (const std::exception& error) {
        step_.reset();
        connection_.reset();
        sink_(observe::background_failed{"reading the change log", error.what()});
        return failure{error_code::unavailable, std::string(core::describe(error_code::unavailable).sentence)};
    }
}

core::result<core::batch_ptr> log_reader::next_page()
{
    if (!connection_) {
        connect();
    }
    if (!connected_to_->same_log(expected_)) {
        return failure{error_code::cursor_foreign, std::string(core::describe(error_code::cursor_foreign).sentence)};
    }
    if (!step_) {
        to_now_ = to_now_ || !position_.inside;
        step_.emplace(*connection_, filter_, sink_, position_, limits_);
    }
    auto page = step_->next();
    if (page.has_error()) {
        step_.reset();
        expired_through_ = connection_->execute("select expired_xid from rowcast.settings").number(0, 0);
        return page;
    }
    position_ = step_->position();
    ++pages_;
    changes_ += (*page)->changes.size();
    if ((*page)->complete) {
        step_.reset();
        reached_now_ = to_now_;
        to_now_ = false;
        if (reached_now_) {
            sink_(observe::log_read{pages_, changes_});
        }
    }
    return page;
}

void log_reader::connect()
{
    connection_.emplace(options_, stop_);
    connected_to_ = claim_identity(*connection_);
    prepare_log_statement(*connection_);
}

void log_reader::suspend()
{
    try {
        if (step_) {
            step_->suspend();
        }
    } catch (const std::exception&) { // the next page connects anew, and says what is wrong if it still is
        step_.reset();
        connection_.reset();
    }
}

void log_reader::close()
{
    suspend();
    step_.reset();
    open_ = false;
}

} // namespace rowcast::postgres
