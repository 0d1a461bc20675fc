#include "cli/demo/child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace rowcast::cli::demo {

namespace {

using namespace std::chrono_literals;

constexpr auto grace = 5s;

struct prepared {
    std::vector<char*> arguments;
    const char* output;
    const char* folder;
    const account* as;
    int failure_pipe;
    pid_t parent;
};

// Between fork and exec only what is safe after a fork of a program with threads (signal-safety(7)).
[[noreturn]] void become(const prepared& it)
{
    const auto fail = [&] {
        const int reason = errno;
        [[maybe_unused]] const ssize_t ignored = write(it.failure_pipe, &reason, sizeof reason);
        _exit(127);
    };
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    setpgid(0, 0);
    const int output = open(it.output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (output < 0 || input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) {
        fail();
    }
    if (it.as != nullptr && (setgroups(0, nullptr) != 0 || setgid(it.as->group) != 0 || setuid(it.as->user) != 0)) {
        fail();
    }
    // After the change of user, which makes the kernel forget it.
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT) != 0 || chdir(it.folder) != 0) {
        fail();
    }
    if (getppid() != it.parent) {
        _exit(127);
    }
    execv(it.arguments[0], it.arguments.data());
    fail();
    _exit(127);
}

} // namespace

std::optional<account> unprivileged()
{
    if (geteuid() != 0) {
        return std::nullopt;
    }
    for (const char* name : {"postgres", "nobody"}) {
        if (const passwd* found = getpwnam(name)) {
            return account{found->pw_uid, found->pw_gid, name};
        }
    }
    throw std::runtime_error("PostgreSQL does not run as root, and this system has neither a user postgres nor nobody; "
                             "start the demo as an ordinary user");
}

child::child(const std::vector<std::string>& command, options how)
    : name_(command.at(0))
    , how_(std::move(how))
{
    std::array<int, 2> failed{};
    if (pipe2(failed.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    prepared it{{}, how_.output.c_str(), how_.folder.c_str(), how_.as ? &*how_.as : nullptr, failed[1], getpid()};
    std::vector<std::string> words = command;
    std::transform(words.begin(), words.end(), std::back_inserter(it.arguments),
                   [](std::string& word) { return word.data(); });
    it.arguments.push_back(nullptr);

    id_ = fork();
    if (id_ == 0) {
        become(it);
    }
    const int fork_error = errno;
    close(failed[1]);
    int reason = id_ < 0 ? fork_error : 0;
    // Ends when exec succeeds and closes the pipe.
    while (id_ > 0 && read(failed[0], &reason, sizeof reason) < 0 && errno == EINTR) {
    }
    close(failed[0]);
    if (reason != 0) {
        if (id_ > 0) {
            waitpid(id_, nullptr, 0);
        }
        throw std::system_error(reason, std::generic_category(), "cannot start " + name_);
    }
}

child::~child()
{
    end();
}

bool child::running()
{
    int raw = 0;
    if (!status_ && waitpid(id_, &raw, WNOHANG) == id_) {
        status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
    return !status_;
}

int child::wait(interruption& stop)
{
    while (running()) {
        stop.pause(10ms);
    }
    return *status_;
}

void child::end()
{
    const auto deadline = std::chrono::steady_clock::now() + grace;
    if (running()) {
        kill(-id_, how_.ending);
    }
    while (running()) {
        if (std::chrono::steady_clock::now() > deadline) {
            kill(-id_, SIGKILL);
        }
        std::this_thread::sleep_for(5ms);
    }
}

void run(const std::vector<std::string>& command, const child::options& how, interruption& stop)
{
    child process(command, how);
    const int status = process.wait(stop);
    if (status != 0) {
        throw std::runtime_error(std::filesystem::path(command.at(0)).filename().string() + " ended with status " +
                                 std::to_string(status) + ":\n" + tail_of(how.output));
    }
}

std::string tail_of(const std::filesystem::path& file)
{
    constexpr std::size_t most = 2000;
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    return text.size() <= most ? text : "..." + text.substr(text.size() - most);
}

} // namespace rowcast::cli::demo
