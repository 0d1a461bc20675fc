// The main function of a fuzzer that was built without libFuzzer: every file that is named, and every one below a folder that is, is
// parsed once. Options, which begin with `-`, are libFuzzer's and left alone.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments)
{
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (const std::string& named : std::vector<std::string>(arguments + 1, arguments + count)) {
        if (named.starts_with('-')) {
            continue;
        }
        if (!fs::is_directory(named)) {
            files.emplace_back(named);
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(named)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        std::fprintf(stderr, "%s\n", file.c_str()); // the last one is who did it
        std::ifstream in(file, std::ios::binary);
        const std::string text(std::istreambuf_iterator<char>(in), {});
        if (!in.good() && !in.eof()) {
            std::fprintf(stderr, "cannot be read\n");
            return 1;
        }
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    }
    if (files.empty()) {
        std::fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", *arguments);
        return 2;
    }
    return 0;
}
