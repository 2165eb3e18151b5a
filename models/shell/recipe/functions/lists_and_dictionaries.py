"""Lists and dictionaries: flattened, cut, merged, compared, added up."""


# flattens a list of lists | turns a nested list into a flat list | makes one list of several lists | takes a list of lists and puts all the inner elements in one list | removes one level of nesting from a list | concatenates all sublists into a single list | gives back every item of the inner lists as one array | unpacks the sublists of a list into one
def flatten(lists):
    return [item for inner in lists for item in inner]


# splits a list into chunks of size n | divides a list into parts of equal length | cuts an array into pieces of n elements each | takes a list and a size and returns a list of smaller lists | groups the items of a list n at a time | breaks a list up into consecutive sublists of a given length | makes batches of n items from a sequence
def chunks(items, n):
    return [items[i : i + n] for i in range(0, len(items), n)]


# merges two dictionaries | combines two dictionaries into one | takes two dicts and gives back one with the entries of both | joins two dictionaries, the second overriding the first | returns a new dictionary holding the keys of both given ones | puts the key-value pairs of two dicts together | unites a pair of dictionaries in a single new one
def merge_dicts(first, second):
    return {**first, **second}


# swaps keys and values of a dictionary | inverts a dictionary | returns a dict in which the values have become the keys | exchanges the keys of a dictionary with its values | takes a dictionary and maps each value back to its key | reverses the mapping of a dict | builds a new dictionary with value to key pairs
def invert_dict(dictionary):
    return {value: key for key, value in dictionary.items()}


# sorts a dictionary by its values | returns the items of a dictionary ordered by value | orders the entries of a dict from the smallest value to the largest | takes a dictionary and returns it sorted by value | arranges the key-value pairs of a dictionary by their values, ascending | gives back a dict whose values are in increasing order | puts the items with the lowest values of a dictionary first
def sort_by_value(dictionary):
    return dict(sorted(dictionary.items(), key=lambda item: item[1]))


# returns the common elements of two lists | finds the intersection of two lists | finds which items appear in both of two arrays | takes two lists and returns the values they share | gives every item of the first list that is also in the second | keeps those elements of one list that the other contains too | computes the overlap of two lists
def common_elements(first, second):
    return [item for item in first if item in second]


# returns the elements of one list that are not in another | computes the difference of two lists | takes two lists and returns what is only in the first | removes from the first list everything that the second one contains | finds the items of one array that are missing from the other | subtracts a list from another list | keeps the elements of the first list that do not appear in the second
def difference(first, second):
    return [item for item in first if item not in second]


# merges two sorted lists | combines two sorted lists into one sorted list | takes two ordered arrays and gives back a single ordered one | joins two sorted lists so that the result is sorted too | puts the elements of two lists together in ascending order | makes one sorted sequence out of two sorted sequences | unites two already sorted lists and keeps the order
def merge_sorted(first, second):
    return sorted(first + second)


# rotates a list by n places | shifts the elements of a list to the left | moves the first n elements of a list to its end | takes an array and rotates it left by n positions | shifts the items of a list n steps left, wrapping around | returns a list rotated to the left by a given number of steps | performs a left rotation of a list by n
def rotate(items, n):
    n %= len(items)
    return items[n:] + items[:n]


# returns the first n elements of a list | takes the beginning of a list | gives back just the first n items of an array | cuts a list off after n elements | takes a list and a number n and returns the leading n elements | returns the start of a sequence up to a given count | picks the n items at the front of a list
def take(items, n):
    return items[:n]


# returns the last element of a list | gets the final item of a list | takes an array and gives back the item at its end | returns the element in the last position of a list | fetches the very last value of a sequence | finds out what the item at the end of a list is | picks the element at index -1
def last(items):
    return items[-1]


# checks whether a list is sorted | tells if the elements of a list are in ascending order | determines if an array is in order from smallest to largest | returns True when no element of a list is smaller than the one before | takes a list and says whether it is already sorted | finds out if the values of a sequence never decrease | verifies that a list is ordered ascending, without sorting it
def is_sorted(items):
    return all(items[i] <= items[i + 1] for i in range(len(items) - 1))


# checks whether a list is empty | tells if a list has no elements | returns True when there is nothing in a list | determines if the length of an array is zero | takes a list and says whether it is empty | finds out if a list contains no items at all | verifies that a given sequence has zero elements
def is_empty(items):
    return len(items) == 0


# returns the running total of a list | computes cumulative sums | takes a list of numbers and returns the list of its partial sums | gives for each position of a list the sum of everything so far | calculates the prefix sums of an array | produces the cumulative sum of a sequence of numbers as a list | replaces each number by the total of it and all those before it
def running_total(numbers):
    total = 0
    result = []
    for number in numbers:
        total += number
        result.append(total)
    return result


# finds two numbers in a list that add up to a target | solves two sum | returns the indices of two list elements whose sum is the target | looks for a pair in an array that adds up to a given value | takes numbers and a target and finds the positions of two that make it | determines which two entries of a list together give the target sum | finds the indexes of a pair of numbers with a certain sum
def two_sum(numbers, target):
    seen = {}
    for index, number in enumerate(numbers):
        if target - number in seen:
            return [seen[target - number], index]
        seen[number] = index
    return None


# returns the largest sum of neighbouring elements of a list | finds the maximum subarray sum with Kadane's algorithm | gives the biggest sum that a contiguous part of an array can have | implements Kadane's algorithm for the best subarray sum | computes the maximum sum of any contiguous sublist | takes a list of numbers and returns the greatest total of consecutive elements | solves the maximum subarray problem
def max_subarray(numbers):
    best = current = numbers[0]
    for number in numbers[1:]:
        current = max(number, current + number)
        best = max(best, current)
    return best


# returns fizz, buzz or fizzbuzz for a number | implements FizzBuzz for one number | returns the right FizzBuzz answer for a single n | takes one number and returns Fizz, Buzz, FizzBuzz or the number as text | gives Fizz for multiples of 3, Buzz for 5 and FizzBuzz for both | says what to call out for one given number in the FizzBuzz game | translates a single integer into its FizzBuzz word
def fizzbuzz(n):
    if n % 15 == 0:
        return "FizzBuzz"
    if n % 3 == 0:
        return "Fizz"
    if n % 5 == 0:
        return "Buzz"
    return str(n)


# prints the numbers from 1 to n with fizz and buzz | prints FizzBuzz up to n | plays FizzBuzz | shows the FizzBuzz sequence from 1 through n on the screen | loops from 1 to n and prints Fizz, Buzz, FizzBuzz or the number | prints each number up to n, replacing multiples of 3 and 5 by words | prints one FizzBuzz line for every number up to a limit | writes out the whole FizzBuzz game up to n
def print_fizzbuzz(n):
    for i in range(1, n + 1):
        if i % 15 == 0:
            print("FizzBuzz")
        elif i % 3 == 0:
            print("Fizz")
        elif i % 5 == 0:
            print("Buzz")
        else:
            print(i)
