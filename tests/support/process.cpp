#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rowcast::support {

namespace {

struct channel {
    int read_end = -1;
    int write_end = -1;
};

channel open_channel()
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    return {ends[0], ends[1]};
}

std::vector<char*> pointers(std::vector<std::string>& strings)
{
    std::vector<char*> result;
    for (std::string& each : strings)
        result.push_back(each.data());
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& additions)
{
    std::vector<std::string> result = additions;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry{*each};
        const std::string_view name = entry.substr(0, entry.find('=') + 1);
        bool replaced = false;
        for (const std::string& addition : additions)
            replaced = replaced || addition.starts_with(name);
        if (!replaced)
            result.emplace_back(entry);
    }
    return result;
}

// In the child, between fork and exec: nothing but system calls.
[[noreturn]] void become(char* const* command, char* const* environment, int input, int output, int errors, int failure)
{
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvpe(command[0], command, environment);
    const int reason = errno;
    [[maybe_unused]] const ssize_t told = ::write(failure, &reason, sizeof reason);
    ::_exit(127);
}

}

process::process(std::vector<std::string> command, std::vector<std::string> environment)
    : name_{command.at(0)}
{
    std::vector<std::string> variables = environment_with(environment);
    const std::vector<char*> arguments = pointers(command);
    const std::vector<char*> settings = pointers(variables);
    const channel input = open_channel();
    const channel output = open_channel();
    const channel errors = open_channel();
    const channel failure = open_channel();

    id_ = ::fork();
    if (id_ == 0)
        become(arguments.data(), settings.data(), input.read_end, output.write_end, errors.write_end,
               failure.write_end);
    for (const int childs : {input.read_end, output.write_end, errors.write_end, failure.write_end})
        ::close(childs);
    input_ = input.write_end;
    output_.descriptor = output.read_end;
    errors_.descriptor = errors.read_end;

    int reason = id_ < 0 ? errno : 0;
    // Closed without a word when exec succeeds.
    const bool failed = id_ < 0 || ::read(failure.read_end, &reason, sizeof reason) > 0;
    ::close(failure.read_end);
    if (failed) {
        if (id_ > 0)
            ::waitpid(id_, nullptr, 0);
        for (const int ours : {input_, output_.descriptor, errors_.descriptor})
            ::close(ours);
        throw std::system_error{reason, std::generic_category(), "cannot start " + name_};
    }
    reader_ = std::thread{[this] { read_output(); }};
}

process::~process()
{
    if (!status_) {
        ::kill(-id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    } else {
        ::kill(-id_, SIGKILL); // whoever it left behind in its group and who still holds the pipes
    }
    close_input();
    reader_.join();
}

void process::read_output()
{
    while (!output_.ended || !errors_.ended) {
        std::array<pollfd, 2> waiting{{{output_.descriptor, POLLIN, 0}, {errors_.descriptor, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            break;
        if (waiting[0].revents != 0)
            take(output_);
        if (waiting[1].revents != 0)
            take(errors_);
    }
}

void process::take(stream& from)
{
    std::array<char, 65536> buffer;
    const ssize_t count = ::read(from.descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
        return;
    const std::lock_guard lock{mutex_};
    if (count <= 0) {
        if (!from.partial.empty())
            from.lines.push_back(std::exchange(from.partial, {}));
        ::close(from.descriptor);
        from.descriptor = -1; // poll ignores it from now on
        from.ended = true;
    } else {
        std::string_view text{buffer.data(), static_cast<std::size_t>(count)};
        for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
            from.lines.push_back(std::exchange(from.partial, {}).append(text.substr(0, end)));
            text.remove_prefix(end + 1);
        }
        from.partial.append(text);
    }
    arrived_.notify_all();
}

std::optional<std::string> process::next(stream& from, std::chrono::steady_clock::time_point deadline)
{
    std::unique_lock lock{mutex_};
    if (!arrived_.wait_until(lock, deadline, [&] { return !from.lines.empty() || from.ended; }))
        throw std::runtime_error{name_ + ": no further line of output in time"};
    if (from.lines.empty())
        return std::nullopt;
    std::string line = std::move(from.lines.front());
    from.lines.pop_front();
    return line;
}

std::string process::find(stream& from, std::string_view text, std::chrono::milliseconds within)
{
    const auto deadline = std::chrono::steady_clock::now() + within;
    std::string seen;
    const auto fail = [&](std::string_view why) {
        return std::runtime_error{name_ + ": no line with \"" + std::string{text} + "\" " + std::string{why} +
                                  "; it wrote:\n" + seen};
    };
    try {
        while (std::optional<std::string> line = next(from, deadline)) {
            if (line->find(text) != line->npos)
                return *line;
            seen += *line + '\n';
        }
    } catch (const std::runtime_error&) {
        throw fail("in time");
    }
    throw fail("until the end of its output");
}

std::string process::drain(stream& from, std::chrono::milliseconds within)
{
    const auto deadline = std::chrono::steady_clock::now() + within;
    std::string all;
    for (std::optional<std::string> line = next(from, deadline); line; line = next(from, deadline))
        all += (all.empty() ? "" : "\n") + *line;
    return all;
}

std::optional<std::string> process::read_line(std::chrono::milliseconds within)
{
    return next(output_, std::chrono::steady_clock::now() + within);
}

std::optional<std::string> process::read_error_line(std::chrono::milliseconds within)
{
    return next(errors_, std::chrono::steady_clock::now() + within);
}

std::string process::line_with(std::string_view text, std::chrono::milliseconds within)
{
    return find(output_, text, within);
}

std::string process::error_line_with(std::string_view text, std::chrono::milliseconds within)
{
    return find(errors_, text, within);
}

std::string process::rest(std::chrono::milliseconds within)
{
    return drain(output_, within);
}

std::string process::error_rest(std::chrono::milliseconds within)
{
    return drain(errors_, within);
}

void process::write(std::string_view text)
{
    // A child that is gone is an error to report here, not a signal that ends the test.
    ::signal(SIGPIPE, SIG_IGN);
    while (!text.empty()) {
        const ssize_t count = ::write(input_, text.data(), text.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            throw std::system_error{errno, std::generic_category(), "writing to " + name_};
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

void process::close_input()
{
    if (input_ >= 0)
        ::close(std::exchange(input_, -1));
}

void process::signal(int number)
{
    if (running())
        ::kill(id_, number);
}

bool process::running()
{
    if (!status_) {
        int raw = 0;
        if (::waitpid(id_, &raw, WNOHANG) == id_)
            status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
    return !status_;
}

int process::wait(std::chrono::milliseconds within)
{
    if (!eventually([this] { return !running(); }, within))
        throw std::runtime_error{name_ + " did not end in time"};
    return *status_;
}

std::chrono::duration<double> process::cpu() const
{
    std::ifstream in("/proc/" + std::to_string(id_) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::istringstream fields(text.substr(text.rfind(')') + 2)); // from the third on, `state` (man 5 proc)
    std::string skipped;
    for (int i = 3; i < 14; ++i) {
        fields >> skipped;
    }
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::duration<double>(static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

std::string run(std::vector<std::string> command, std::vector<std::string> environment,
                std::chrono::milliseconds within)
{
    process child{command, std::move(environment)};
    child.close_input();
    std::string output = child.rest(within);
    const std::string errors = child.error_rest(within);
    const int status = child.wait(within);
    if (status != 0)
        throw std::runtime_error{command.at(0) + " ended with status " + std::to_string(status) + ":\n" + errors};
    return output;
}

}
