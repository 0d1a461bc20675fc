#pragma once

#include <string_view>

// Each fuzzer is a file of this folder with one function, `parse`: it gives what somebody outside has written to the parser of its
// name, and holds the outcome against what the parser's header promises. entry.cpp gives it to libFuzzer; built without it (by
// g++), replay.cpp gives it the files of its corpus.
namespace rowcast::fuzz {

void parse(std::string_view input);

// Ends the program where a promise is not kept.
void must(bool kept, std::string_view promise);

// What is told to who wrote it must be a sentence, and text that JSON can carry.
void must_be_readable(std::string_view message);

} // namespace rowcast::fuzz
