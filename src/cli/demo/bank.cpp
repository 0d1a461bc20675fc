#include "cli/demo/bank.hpp"

namespace rowcast::cli::demo {

void fill(const cluster& in, const programs& found, interruption& stop)
{
    in.execute("postgres", "postgres", "create role bank login; create role rowcast_bridge login", stop);
    in.execute("postgres", "postgres", "create database bank owner bank", stop);
    run({found.pgbench, "--initialize", "--quiet", "--scale=" + std::to_string(branches), in.url(owner, database)},
        in.surroundings("pgbench.log"), stop);
    // pgbench's history has no key, and a change is told with its row's key.
    in.execute(owner, database,
               "alter table pgbench_history add column id bigint generated always as identity primary key", stop);
}

std::vector<std::string> load_command(const cluster& in, const programs& found, int rate)
{
    // --no-vacuum: it would try to truncate the history, which is being watched.
    return {found.pgbench,       "--client=2",           "--no-vacuum", "--rate=" + std::to_string(rate),
            "--time=2000000000", in.url(owner, database)};
}

} // namespace rowcast::cli::demo
