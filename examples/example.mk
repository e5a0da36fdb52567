# SPDX-License-Identifier: GPL-2.0
# How an example is built: static, so that it runs in a guest that has no libraries, at fixed addresses, with line numbers.
CFLAGS	:= -O2 -g -Wall -Wextra -Werror=implicit
override CFLAGS += -std=gnu11 -static -fno-pie -pthread -I../include
