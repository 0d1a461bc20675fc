#include "torture/writer.hpp"

namespace rowcast::torture {

using namespace std::chrono_literals;

void writer::connect()
{
    connection_.emplace(in_.url());
    never_reconnect(*connection_);
    sql("set search_path = public");
    if (at_start) {
        at_start();
    }
}

pqxx::result writer::sql(const std::string& text)
{
    return pqxx::nontransaction{*connection_}.exec(text);
}

void writer::commit()
{
    sql("commit");
    to_.count("committed");
}

void writer::run(const std::function<void()>& once)
{
    while (in_.writing) {
        try {
            if (!connection_) {
                connect();
            }
            once();
        } catch (const pqxx::sql_error& error) {
            to_.count("refused: " + error.sqlstate());
            try {
                roll_back();
            } catch (const std::exception&) {
                connection_.reset();
            }
        } catch (const pqxx::failure&) {
            to_.count("writers' connections lost");
            connection_.reset();
            in_.sleep(random.ms(20, 300));
        }
    }
}

} // namespace rowcast::torture
