# Golden numbers of baseline tables that golden.R does not have: other quantiles, rank tests with many ties, 2 x k tables,
# cobalt's differences, E-values. cobalt and EValue are not packaged in Debian: their formulas are written out here.
# Usage, from this folder: Rscript golden_descriptive.R   -> golden/descriptive.json
source("golden_functions.R")
probs <- c(0, .01, .05, .1, .25, 1 / 3, .5, .75, .9, .95, .99, 1)
ranks <- function(x, a) { test <- function(correct) wilcox.test(x[a == 1], x[a == 0], exact = FALSE, correct = correct); list(w = unname(test(TRUE)$statistic), p = test(FALSE)$p.value, p_continuity = test(TRUE)$p.value) }
number <- function(x, a) c(list(type3 = unname(quantile(x, probs, type = 3)), type7 = unname(quantile(x, probs, type = 7)), control_type3 = unname(quantile(x[a == 0], probs, type = 3)), control_type7 = unname(quantile(x[a == 0], probs, type = 7)), mean = mean(x), sd = sd(x), smd = smd_num(x, a)), ranks(x, a))

d <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); a <- as.integer(d$regimen == "IsaPd"); r <- read.csv("rotterdam.csv")
numbers <- list(myeloma = sapply(c("age", "crcl", "lines"), function(v) number(d[[v]], a), simplify = FALSE), rotterdam = sapply(c("age", "nodes", "pgr", "er"), function(v) number(r[[v]], r$chemo), simplify = FALSE))

# ---- 2 x k tables: control then treated, level by level ----
counts <- list(small = list(c(3, 1), c(1, 3)), zero_cell = list(c(0, 9), c(7, 5)), far = list(c(99, 3), c(2, 140)), even = list(c(2, 2), c(2, 3)), large = list(c(1300, 2200), c(1100, 2400)), three = list(c(10, 4, 1), c(3, 8, 6)),
  empty_level = list(c(10, 0, 4, 1), c(3, 0, 8, 6)), empty_first = list(c(0, 10, 4, 1), c(0, 3, 8, 6)), four = list(c(25, 14, 9, 2), c(17, 22, 13, 11)), six = list(c(12, 9, 7, 5, 3, 1), c(4, 8, 9, 6, 2, 7)), rare = list(c(400, 1, 0, 2), c(380, 0, 3, 1)), five = list(c(60, 44, 30, 21, 8), c(49, 51, 41, 12, 15)))
tables <- lapply(counts, function(t) { m <- rbind(t[[1]], t[[2]]); filled <- m[, colSums(m) > 0, drop = FALSE]; chi <- function(correct) suppressWarnings(chisq.test(filled, correct = correct)); x <- rep(rep(seq_len(ncol(m)), 2), as.vector(t(m))); arm <- rep(0:1, c(sum(m[1, ]), sum(m[2, ])))
  p <- prop.table(m, 1)[, -1, drop = FALSE]; cov <- function(q) { s <- -q %*% t(q); diag(s) <- q * (1 - q); s }; S <- (cov(p[1, ]) + cov(p[2, ])) / 2; diff <- p[2, ] - p[1, ]     # every declared level, empty or not, as tableone sees a factor
  list(control = t[[1]], treated = t[[2]], chi_square = unname(chi(FALSE)$statistic), chi_square_p = chi(FALSE)$p.value, yates = unname(chi(TRUE)$statistic), yates_p = chi(TRUE)$p.value, fisher_p = fisher.test(filled, workspace = 2e8)$p.value, smd = sqrt(drop(t(diff) %*% MASS::ginv(S) %*% diff))) })

# ---- cobalt: weighted difference over a spread, on the analysed patients with stabilised weights ----
d <- d[!is.na(d$fish), ]; d$a <- as.integer(d$regimen == "IsaPd"); ps <- glm(a ~ age + I(sex == "F") + crcl + factor(iss_stage) + ldh_high + I(1 - dara_refr) + I(1 - asct) + I(fish == "high"), binomial, d, control = tight_glm); e <- fitted(ps); w <- ifelse(d$a == 1, mean(d$a) / e, (1 - mean(d$a)) / (1 - e))
col_var <- function(x, w) sum(w * (x - weighted.mean(x, w))^2) / (sum(w) - sum(w^2) / sum(w))
cobalt_num <- function(x) { m <- sapply(0:1, function(k) weighted.mean(x[d$a == k], w[d$a == k])); v <- sapply(0:1, function(k) var(x[d$a == k])); diff <- m[2] - m[1]; list(before = (mean(x[d$a == 1]) - mean(x[d$a == 0])) / sqrt(mean(v)), pooled = diff / sqrt(mean(v)), control = diff / sqrt(v[1]), treated = diff / sqrt(v[2]), weighted = diff / sqrt(col_var(x, w))) }
share <- function(x, v) sapply(levels(factor(x)), function(l) weighted.mean(x[d$a == 1] == l, v[d$a == 1]) - weighted.mean(x[d$a == 0] == l, v[d$a == 0]))
cobalt <- c(sapply(c("age", "crcl", "lines"), function(v) cobalt_num(d[[v]]), simplify = FALSE), sapply(c("iss_stage", "disease_status", "sex"), function(v) list(before = unname(share(d[[v]], rep(1, nrow(d)))), after = unname(share(d[[v]], w))), simplify = FALSE))

# ---- E-values: VanderWeele and Ding 2017, Table 2 ----
e_value <- function(rr) { rr <- pmax(rr, 1 / rr); rr + sqrt(rr * (rr - 1)) }
kinds <- list(risk = identity, common_odds = sqrt, common_hazard = function(h) (1 - .5^sqrt(h)) / (1 - .5^sqrt(1 / h)))
cases <- rbind(c(3.9, 1.8, 8.7), c(.8, .71, .91), c(.45, .2, 1.1), c(1.7, 1.05, 2.6), c(12, 4, 36))
evalues <- lapply(kinds, function(f) list(risk_ratio = f(cases[, 1]), estimate = e_value(f(cases[, 1])), limit = apply(cases, 1, function(x) if (x[2] <= 1 && x[3] >= 1) 1 else e_value(f(if (x[2] > 1) x[2] else x[3])))))
save_json(list(probs = probs, numbers = numbers, tables = tables, cobalt = cobalt, e_values = c(list(cases = list(estimate = cases[, 1], conf_low = cases[, 2], conf_high = cases[, 3])), evalues)), "descriptive")
