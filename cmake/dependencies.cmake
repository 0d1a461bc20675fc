# Everything rowcast is built on, from Debian's packages (scripts/setup installs them).

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
# By pkg-config: these have no CMake package, or one that asks for more than rowcast uses.
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(RHONABWY REQUIRED IMPORTED_TARGET librhonabwy)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
# What the operators' page draws with: a script that the program carries.
find_file(ROWCAST_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js REQUIRED NO_CMAKE_FIND_ROOT_PATH)

add_library(rowcast_dependencies INTERFACE)
target_link_libraries(rowcast_dependencies INTERFACE
    Boost::boost Boost::url
    OpenSSL::SSL OpenSSL::Crypto
    PkgConfig::PQXX PkgConfig::PQ
    PkgConfig::RHONABWY
    PkgConfig::SYSTEMD
    CURL::libcurl
    PkgConfig::PROMETHEUS
    nlohmann_json::nlohmann_json
    spdlog::spdlog
    yaml-cpp
    Threads::Threads)
# Asio and Beast are compiled once (src/net/asio.cpp, src/net/beast.cpp), not in every file that includes them.
target_compile_definitions(rowcast_dependencies INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
